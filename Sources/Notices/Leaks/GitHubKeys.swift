import Crypto
import FoundationEssentials
import JSON

/// The public keys with which GitHub signs its reports of leaked tokens.
package struct GitHubKeys: Sendable {
    private let keys: [String: P256.Signing.PublicKey]

    /// The maximum number of keys that are read.
    private static let mostKeys = 100
    private static let maximumBytes = 262_144

    /// Parses GitHub's list of keys.
    ///
    /// The list has the form `{"public_keys": [{"key_identifier": …, "key": "-----BEGIN PUBLIC KEY-----…"}]}`. Keys of other curves are
    /// skipped. Returns `nil` if the text has no usable key.
    package init?(_ bytes: [UInt8]) {
        let limits = JSONLimits(maximumBytes: Self.maximumBytes)
        guard let list = (try? JSONValue(parsing: bytes, limits: limits))?["public_keys"]?.array else { return nil }
        var keys: [String: P256.Signing.PublicKey] = [:]
        for entry in list.prefix(Self.mostKeys) {
            guard let id = entry["key_identifier"]?.string, let text = entry["key"]?.string,
                let key = try? P256.Signing.PublicKey(pemRepresentation: text)
            else { continue }
            keys[id] = key
        }
        guard !keys.isEmpty else { return nil }
        self.keys = keys
    }

    /// Returns true if the list has a key.
    package func contains(_ id: String) -> Bool { keys[id] != nil }

    /// Returns true if a body is signed by a key of the list.
    ///
    /// - Parameters:
    ///   - body: The raw bytes.
    ///   - signature: The ECDSA signature with SHA-256, as DER in Base64.
    ///   - id: The key's identifier.
    /// - Returns: False also for an unknown key.
    package func verifies(_ body: [UInt8], signature: String, by id: String) -> Bool {
        guard let key = keys[id], let data = Data(base64Encoded: signature),
            let parsed = try? P256.Signing.ECDSASignature(derRepresentation: data)
        else { return false }
        return key.isValidSignature(parsed, for: SHA256.hash(data: body))
    }
}
