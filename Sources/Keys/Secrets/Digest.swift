import Crypto

/// The digest that is stored in place of a secret: 32 bytes of HMAC-SHA-256 or SHA-256.
///
/// A digest does not print, because a reader of a log must not learn which row a token leads to.
public struct Digest: Sendable, Redacted {
    /// The number of bytes of a digest.
    public static let byteCount = 32

    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// Creates a digest from its bytes, or returns `nil` unless there are 32.
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

    /// Copies exactly 32 bytes, which each caller provides.
    private init(raw: UnsafeRawBufferPointer) {
        words = (
            raw.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
            raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
            raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
            raw.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
        )
    }

    /// The first 8 bytes as a number, which is as good as random.
    package var firstWord: UInt64 { words.0 }

    /// The 32 bytes, for storage and look-up.
    public var bytes: [UInt8] {
        withUnsafeBytes(of: words) { Array($0) }
    }
}

extension Digest: Hashable {
    /// Compares two digests in a time that does not depend on the position of a difference.
    public static func == (lhs: Digest, rhs: Digest) -> Bool {
        let differences = (
            lhs.words.0 ^ rhs.words.0, lhs.words.1 ^ rhs.words.1, lhs.words.2 ^ rhs.words.2, lhs.words.3 ^ rhs.words.3
        )
        return differences.0 | differences.1 | differences.2 | differences.3 == 0
    }

    /// Hashes the first 8 bytes only.
    ///
    /// They are as good as random, and nobody without the secret can choose them.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
    }
}
