import Crypto
public import FoundationEssentials

/// Lets an `Idempotency-Key` replay a token that was never stored.
///
/// The token's secret part is derived from this secret, a nonce kept in the database, and the raw `Idempotency-Key`,
/// which only the client has. None of the three alone gives the token.
public struct IdempotencySecret: Sendable, Redacted {
    /// How many bytes a nonce has.
    public static let nonceByteCount = 32

    /// The name that the database keeps beside each nonce.
    public let id: SecretID

    let secret: SecretBytes

    /// A key of its own for ``mac(of:principal:)``: what is stored must say nothing of what is derived.
    private let macSecret: SymmetricKey

    /// The secret with these bytes, or `nil` unless there are 32 to 256.
    public init?(id: SecretID, bytes: [UInt8]) {
        guard let secret = SecretBytes(bytes) else { return nil }
        self.init(id: id, secret: secret)
    }

    init(id: SecretID, secret: SecretBytes) {
        self.id = id
        self.secret = secret
        let info = LengthPrefixed(purpose: "mortise idempotency mac").bytes
        macSecret = SymmetricKey(data: secret.derive(salt: [], info: info, count: 32))
    }

    /// The secret part of the token that this request makes, now and at every replay.
    ///
    /// - Parameters:
    ///   - nonce: ``nonceByteCount`` bytes, fresh for each request that is not a replay.
    ///   - idempotencyKey: The header's value as the client sent it.
    ///   - workspace: The workspace that the key belongs to.
    ///   - keyID: The key that the token opens.
    ///   - principal: Who asks, by a name that nobody else can have.
    /// - Returns: The body, or `nil` where the nonce has another length.
    public func tokenBody(
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

    /// What the database keeps in place of the raw `Idempotency-Key`, to find a replay by.
    public func mac(of idempotencyKey: String, principal: String) -> Digest {
        var message = LengthPrefixed(purpose: "mortise idempotency key")
        message.append(idempotencyKey.utf8)
        message.append(principal.utf8)
        return Digest(HMAC<SHA256>.authenticationCode(for: message.bytes, using: macSecret))
    }

    /// What the database keeps of a request's fingerprint.
    ///
    /// A body may hold a password: with the bare digest whoever has the database could try passwords as fast as SHA-256 goes.
    public func mac(of fingerprint: Digest) -> Digest {
        var message = LengthPrefixed(purpose: "mortise idempotency fingerprint")
        message.append(fingerprint.bytes)
        return Digest(HMAC<SHA256>.authenticationCode(for: message.bytes, using: macSecret))
    }
}
