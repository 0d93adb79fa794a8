import Crypto

/// The key of the HMAC that turns tokens into digests.
///
/// It is never in a database, so a stolen dump verifies nothing.
public struct Pepper: Sendable, Redacted {
    /// The name that stands beside each digest in the database.
    public let id: SecretID

    let secret: SecretBytes

    /// An HMAC that has taken its key: a copy of it costs less than half of a new one on each verification.
    private let keyed: HMAC<SHA256>

    /// The pepper with these bytes, or `nil` unless there are 32 to 256.
    public init?(id: SecretID, bytes: [UInt8]) {
        guard let secret = SecretBytes(bytes) else { return nil }
        self.init(id: id, secret: secret)
    }

    init(id: SecretID, secret: SecretBytes) {
        self.id = id
        self.secret = secret
        keyed = HMAC(key: secret.key)
    }

    /// HMAC-SHA-256 of the full text of `token`: what is stored in its place.
    public func digest(of token: Token) -> Digest {
        token.withUTF8 { bytes in
            var hmac = keyed
            bytes.withUnsafeBytes { hmac.update(data: $0) }
            return Digest(hmac.finalize())
        }
    }

    /// What a database keeps to tell this pepper from another one that bears the same id.
    public var checkValue: Digest { secret.hmac(of: Array("mortise pepper check".utf8)) }
}
