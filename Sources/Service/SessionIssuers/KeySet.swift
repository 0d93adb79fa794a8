import FoundationEssentials
import JSON
import JWTKit

/// The public keys of an issuer, by key id.
struct KeySet: Sendable {
    /// The most bytes of a key set.
    static let maximumBytes = 262_144
    private static let maximumKeys = 100

    private let keys: [String: JWK]

    /// Reads a JSON Web Key Set (RFC 7517 section 5): what it cannot use it skips, as the section asks.
    ///
    /// - Returns: `nil` for what is no key set, or one without a usable key.
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
        // Of two keys with one id nobody could say which is meant.
        for id in ambiguous { keys[id] = nil }
        guard !keys.isEmpty else { return nil }
        self.keys = keys
    }

    /// A public key for signatures; secret parts, which have no business there, are not even read.
    private static func key(_ object: JSONObject) -> JWK? {
        if let use = object["use"], use.string != "sig" { return nil }
        var parts = JSONObject()
        for name in ["kty", "alg", "kid", "n", "e", "crv", "x", "y"] {
            if let value = object[name] { parts[name] = value }
        }
        return try? JWK(json: JSONValue.object(parts).text)
    }

    /// Whether there is a key of that id.
    func contains(_ id: String) -> Bool { keys[id] != nil }

    /// Whether a token is signed by the key that it names, with the algorithm that it names.
    ///
    /// The caller has seen to it that the algorithm is one that the issuer may use. A key that is for another one is not used for it.
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
