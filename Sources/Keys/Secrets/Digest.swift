import Crypto

/// The 32 bytes that stand for a secret: an HMAC-SHA-256 or a SHA-256.
///
/// It does not print: whoever reads a log must not learn which row a token leads to.
public struct Digest: Sendable, Redacted {
    /// How many bytes a digest has.
    public static let byteCount = 32

    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// The digest with these bytes, or `nil` unless there are 32.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self = bytes.withUnsafeBytes { Digest(raw: $0) }
    }

    init(_ mac: HashedAuthenticationCode<SHA256>) {
        self = mac.withUnsafeBytes { Digest(raw: $0) }
    }

    init(_ hash: SHA256Digest) {
        self = hash.withUnsafeBytes { Digest(raw: $0) }
    }

    /// Takes exactly 32 bytes, which each caller has made sure of.
    private init(raw: UnsafeRawBufferPointer) {
        words = (
            raw.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
            raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
            raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
            raw.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
        )
    }

    /// The 32 bytes, for storage and look-up.
    public var bytes: [UInt8] {
        withUnsafeBytes(of: words) { Array($0) }
    }
}

extension Digest: Hashable {
    /// Compares in a time that does not depend on where the bytes differ.
    public static func == (lhs: Digest, rhs: Digest) -> Bool {
        let first = lhs.words.0 ^ rhs.words.0 | lhs.words.1 ^ rhs.words.1
        let second = lhs.words.2 ^ rhs.words.2 | lhs.words.3 ^ rhs.words.3
        return first | second == 0
    }

    /// Feeds the first 8 bytes only: they are as good as random, and nobody without the key can choose them.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
    }
}
