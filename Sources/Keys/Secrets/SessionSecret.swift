import Crypto

/// Signs the access tokens of members' sessions.
///
/// It is never in a database, so whoever steals a dump cannot make a session. The first one of the secrets file signs, the others still
/// verify: a secret that is to go stays in the file until the tokens that it signed have expired, which takes 15 minutes.
public struct SessionSecret: Sendable, Redacted {
    /// The name by which a token says which secret signed it.
    public let id: SecretID

    /// A key of its own for each use of a secret.
    private let key: SymmetricKey

    init(id: SecretID, secret: SecretBytes) {
        self.id = id
        let info = LengthPrefixed(purpose: "mortise access token").bytes
        key = SymmetricKey(data: secret.derive(salt: [], info: info, count: 32))
    }

    /// HMAC-SHA-256 of what is signed, which is HS256 of RFC 7518.
    public func signature(of message: [UInt8]) -> Digest {
        Digest(HMAC<SHA256>.authenticationCode(for: message, using: key))
    }
}
