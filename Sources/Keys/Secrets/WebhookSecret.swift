import Crypto
package import FoundationEssentials

/// A secret from which the signing secrets of webhooks are derived, so that no database holds one.
///
/// The database holds a nonce and this secret's id. The secret file's role secrets are the source, each with a key of its own for
/// this use.
package struct WebhookSecret: Sendable, Redacted {
    /// The number of bytes of a nonce.
    package static let nonceByteCount = 32

    /// The id that the database keeps beside each nonce.
    package let id: SecretID

    private let secret: SecretBytes

    init(_ role: RoleSecret) {
        id = role.id
        secret = role.secret
    }

    /// Returns the signing secret of a webhook.
    ///
    /// Equal arguments give equal secrets.
    ///
    /// - Parameters:
    ///   - webhook: The webhook.
    ///   - nonce: The random bytes that the database keeps for the secret.
    /// - Returns: The secret.
    package func signingSecret(of webhook: UUID, nonce: [UInt8]) -> SigningSecret {
        var info = LengthPrefixed(purpose: "mortise webhook signing secret")
        info.append(UUIDv7.text(of: webhook).utf8)
        return SigningSecret(bytes: secret.derive(salt: nonce, info: info.bytes, count: 32))
    }
}

/// The secret with which Mortise signs the requests to a webhook, and its receiver verifies them.
package struct SigningSecret: Sendable, Redacted {
    private let bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// Returns the text that the owner of the webhook sees once: `whsec_` and the secret in Base64.
    package func reveal() -> String { "whsec_" + Data(bytes).base64EncodedString() }

    /// Returns the signature of a message: `v1,` and the HMAC-SHA-256 in Base64, as standardwebhooks.com describes.
    package func signature(of message: [UInt8]) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: bytes))
        return "v1," + Data(code).base64EncodedString()
    }
}

extension SecretsFile {
    /// The secrets from which the signing secrets of webhooks are derived.
    ///
    /// The current one is the first. Never empty.
    package var webhooks: [WebhookSecret] { roles.map(WebhookSecret.init) }
}
