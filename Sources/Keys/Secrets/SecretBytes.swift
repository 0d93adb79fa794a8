import Crypto

/// The bytes of a long-lived secret, as the secrets file has them: 32 to 256 bytes.
package struct SecretBytes: Sendable, Redacted {
    static let lengths = 32...256

    let bytes: [UInt8]

    package init?(_ bytes: [UInt8]) {
        guard Self.lengths.contains(bytes.count) else { return nil }
        self.bytes = bytes
    }

    package init(using generator: inout some RandomNumberGenerator) {
        bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    var key: SymmetricKey { SymmetricKey(data: bytes) }

    /// Returns the HMAC-SHA-256 (RFC 2104) of a message.
    package func hmac(of message: [UInt8]) -> Digest {
        Digest(HMAC<SHA256>.authenticationCode(for: message, using: key))
    }

    /// Returns `count` bytes of HKDF-SHA-256 (RFC 5869).
    package func derive(salt: [UInt8], info: [UInt8], count: Int) -> [UInt8] {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: key, salt: salt, info: info, outputByteCount: count)
            .withUnsafeBytes { Array($0) }
    }
}
