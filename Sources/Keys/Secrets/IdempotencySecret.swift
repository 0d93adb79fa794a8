import Crypto
package import FoundationEssentials

/// A secret that lets an `Idempotency-Key` replay a token that was never stored.
///
/// The secret part of the token is derived from this secret, a nonce in the database, and the raw `Idempotency-Key`, which
/// only the client has. None of the three alone gives the token.
package struct IdempotencySecret: Sendable, Redacted {
    /// The number of bytes of a nonce.
    package static let nonceByteCount = 32

    /// The id that the database keeps beside each nonce.
    package let id: SecretID

    let secret: SecretBytes

    /// A separate key for the authentication codes, so that a stored code says nothing about a derived token.
    private let macSecret: SymmetricKey

    /// Creates a secret from its bytes, or returns `nil` unless there are 32 to 256.
    package init?(id: SecretID, bytes: [UInt8]) {
        guard let secret = SecretBytes(bytes) else { return nil }
        self.init(id: id, secret: secret)
    }

    init(id: SecretID, secret: SecretBytes) {
        self.id = id
        self.secret = secret
        let info = LengthPrefixed(purpose: "mortise idempotency mac").bytes
        macSecret = SymmetricKey(data: secret.derive(salt: [], info: info, count: 32))
    }

    /// Returns the secret part of the token for a request.
    ///
    /// Every replay of the request gets the same one.
    ///
    /// - Parameters:
    ///   - nonce: ``nonceByteCount`` bytes, which are new for each request that is not a replay.
    ///   - idempotencyKey: The value of the header as the client sent it.
    ///   - workspace: The workspace of the key.
    ///   - keyID: The key that the token opens.
    ///   - principal: A name of the caller that no other caller can have.
    /// - Returns: The body, or `nil` if the nonce has another length.
    package func tokenBody(
        nonce: [UInt8],
        idempotencyKey: String,
        workspace: WorkspaceRef,
        keyID: UUID,
        principal: String
    ) -> TokenBody? {
        guard nonce.count == Self.nonceByteCount else { return nil }
        var info = LengthPrefixed(purpose: "mortise token body")
        info.append(idempotencyKey.utf8)
        info.append(workspace.bytes)
        info.append(UUIDv7.text(of: keyID).utf8)
        info.append(principal.utf8)
        return TokenBody(derivedFrom: secret.derive(salt: nonce, info: info.bytes, count: TokenBody.derivedByteCount))
    }

    /// Returns the code by which the database finds a replay.
    ///
    /// It is stored in place of the raw `Idempotency-Key`.
    package func mac(of idempotencyKey: String, principal: String) -> Digest {
        var message = LengthPrefixed(purpose: "mortise idempotency key")
        message.append(idempotencyKey.utf8)
        message.append(principal.utf8)
        return Digest(HMAC<SHA256>.authenticationCode(for: message.bytes, using: macSecret))
    }

    /// Returns the code of a request's fingerprint, which is stored in place of the fingerprint.
    ///
    /// A request body may contain a password. With a plain digest, a thief of the database could try passwords at the speed of
    /// SHA-256.
    package func mac(of fingerprint: Digest) -> Digest {
        var message = LengthPrefixed(purpose: "mortise idempotency fingerprint")
        message.append(fingerprint.bytes)
        return Digest(HMAC<SHA256>.authenticationCode(for: message.bytes, using: macSecret))
    }
}
