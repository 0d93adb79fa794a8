import FoundationEssentials
import JSON
import JWTKit

/// The public keys of a session issuer, by key id.
struct KeySet: Sendable {
    /// The maximum length of a key set, in bytes.
    static let maximumBytes = 262_144
    private static let maximumKeys = 100

    private let keys: [String: JWK]

    /// Parses a JSON Web Key Set and skips the keys that it cannot use (RFC 7517 section 5).
    ///
    /// - Returns: The keys, or `nil` if the text is no key set or has no usable key.
    init?(_ bytes: [UInt8]) {
        let limits = JSONLimits(maximumBytes: Self.maximumBytes)
        guard let value = try? JSONValue(parsing: bytes, limits: limits), let list = value["keys"]?.array else {
            return nil
        }
        var keys: [String: JWK] = [:]
        var ambiguous: Set<String> = []
        for case .object(let object) in list.prefix(Self.maximumKeys) {
            guard let id = object["kid"]?.string, !id.isEmpty, let key = Self.key(object) else { continue }
            if keys.updateValue(key, forKey: id) != nil { ambiguous.insert(id) }
        }
        // Two keys with the same id are ambiguous.
        for id in ambiguous { keys[id] = nil }
        guard !keys.isEmpty else { return nil }
        self.keys = keys
    }

    /// Returns a public key for signatures.
    ///
    /// Private parts, which do not belong there, are not read.
    private static func key(_ object: JSONObject) -> JWK? {
        if let use = object["use"], use.string != "sig" { return nil }
        var parts = JSONObject()
        for name in ["kty", "alg", "kid", "n", "e", "crv", "x", "y"] {
            if let value = object[name] { parts[name] = value }
        }
        return try? JWK(json: JSONValue.object(parts).text)
    }

    /// Returns true if the set has a key of that id.
    func contains(_ id: String) -> Bool { keys[id] != nil }

    /// Returns true if a token is signed by the key and with the algorithm that it names.
    ///
    /// The caller has checked that the issuer can use the algorithm. A key for another algorithm is not used.
    func verifies(_ token: CompactJWS, algorithm: String, keyID: String) async -> Bool {
        guard var key = keys[keyID], let wanted = JWK.Algorithm(rawValue: algorithm),
            key.algorithm == nil || key.algorithm == wanted
        else { return false }
        key.algorithm = wanted
        do {
            let collection = JWTKeyCollection()
            try await collection.add(jwk: key)
            let signer = try await collection.getKey(for: JWKIdentifier(string: keyID), alg: algorithm)
            return try signer.name == algorithm && signer.verify(token.signature, signs: token.signed)
        } catch {
            return false
        }
    }
}
