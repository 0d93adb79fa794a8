/// A list of parts in bytes that no other list of parts has.
///
/// Each part follows its length in 8 bytes, big-endian.
struct LengthPrefixed {
    private(set) var bytes: [UInt8] = []

    /// Creates a list whose first part is its purpose, which separates the uses of one secret from each other.
    init(purpose: StaticString) {
        append(String(describing: purpose).utf8)
    }

    mutating func append(_ part: some Collection<UInt8>) {
        withUnsafeBytes(of: UInt64(part.count).bigEndian) { bytes += $0 }
        bytes += part
    }
}
