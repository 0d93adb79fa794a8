/// Joins parts so that no two lists of parts give the same bytes: each part follows its length in 8 bytes, big-endian.
struct LengthPrefixed {
    private(set) var bytes: [UInt8] = []

    /// Begins with the purpose, which keeps one use of a secret apart from every other.
    init(purpose: StaticString) {
        append(String(describing: purpose).utf8)
    }

    mutating func append(_ part: some Collection<UInt8>) {
        withUnsafeBytes(of: UInt64(part.count).bigEndian) { bytes += $0 }
        bytes += part
    }
}
