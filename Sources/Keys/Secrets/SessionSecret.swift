import Crypto

/// A secret that signs the access tokens of members' sessions.
///
/// The secret is never in a database, so a thief of a dump cannot create a session. The first session secret of the file
/// signs, the others still verify. Before a secret is removed from the file, the tokens that it signed must expire, which
/// takes 15 minutes.
package struct SessionSecret: Sendable, Redacted {
    /// The id by which an access token says which secret signed it.
    package let id: SecretID

    /// A key for this use alone.
    ///
    /// Other uses of the same secret have keys of their own.
    private let key: SymmetricKey

    init(id: SecretID, secret: SecretBytes) {
        self.id = id
        let info = LengthPrefixed(purpose: "mortise access token").bytes
        key = SymmetricKey(data: secret.derive(salt: [], info: info, count: 32))
    }

    /// Returns the signature of a message: HMAC-SHA-256, which is HS256 of RFC 7518.
    package func signature(of message: [UInt8]) -> Digest {
        Digest(HMAC<SHA256>.authenticationCode(for: message, using: key))
    }
}
