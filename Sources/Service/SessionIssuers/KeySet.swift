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
    private static func key(_ object: JSONObject) -> JWK? {
        publicParts(object).flatMap { try? JWK(json: JSONValue.object($0).text) }
    }

    /// Returns the public parts of a key for signatures, or `nil` for any other key.
    ///
    /// Private parts, which do not belong there, are not read.
    private static func publicParts(_ object: JSONObject) -> JSONObject? {
        if let use = object["use"], use.string != "sig" { return nil }
        guard isAsymmetric(object) else { return nil }
        var parts = JSONObject()
        for name in ["kty", "use", "alg", "kid", "n", "e", "crv", "x", "y"] {
            if let value = object[name] { parts[name] = value }
        }
        return parts
    }

    private static func isAsymmetric(_ object: JSONObject) -> Bool {
        object["kty"]?.string.map(["RSA", "EC", "OKP"].contains) ?? false
    }

    private static func objects(_ bytes: [UInt8]) -> [JSONObject] {
        let limits = JSONLimits(maximumBytes: maximumBytes)
        let list = (try? JSONValue(parsing: bytes, limits: limits))?["keys"]?.array ?? []
        return list.compactMap(\.object)
    }

    /// Returns true if a key of a set is a private key (RFC 7518 sections 6.2.2 and 6.3.2).
    static func hasPrivateParts(_ bytes: [UInt8]) -> Bool {
        objects(bytes)
            .contains { object in
                isAsymmetric(object) && ["d", "p", "q", "dp", "dq", "qi", "oth"].contains { object[$0] != nil }
            }
    }

    /// Returns a key set with the public parts of a set's keys for signatures, as JSON text.
    static func publicText(_ bytes: [UInt8]) -> String {
        let keys = objects(bytes).compactMap(publicParts).map(JSONValue.object)
        return JSONValue.object(["keys": .array(keys)]).text
    }

    /// Returns true if a key of the set can verify signatures by one of some algorithms.
    func canVerify(_ algorithms: [String]) async -> Bool {
        for (id, key) in keys {
            for algorithm in algorithms {
                if await verifier(key, id, algorithm) != nil { return true }
            }
        }
        return false
    }

    /// Returns the verifier of a key's signatures by an algorithm, or `nil` if the key is not for the algorithm.
    private func verifier(_ key: JWK, _ keyID: String, _ algorithm: String) async -> (any JWTAlgorithm)? {
        guard let wanted = JWK.Algorithm(rawValue: algorithm), key.algorithm == nil || key.algorithm == wanted else {
            return nil
        }
        var key = key
        key.algorithm = wanted
        do {
            let collection = JWTKeyCollection()
            try await collection.add(jwk: key)
            let verifier = try await collection.getKey(for: JWKIdentifier(string: keyID), alg: algorithm)
            return verifier.name == algorithm ? verifier : nil
        } catch {
            return nil
        }
    }

    /// Returns true if the set has a key of that id.
    func contains(_ id: String) -> Bool { keys[id] != nil }

    /// Returns true if a token is signed by the key and with the algorithm that it names.
    ///
    /// The caller has checked that the issuer can use the algorithm. A key for another algorithm is not used.
    func verifies(_ token: CompactJWS, algorithm: String, keyID: String) async -> Bool {
        guard let key = keys[keyID], let verifier = await verifier(key, keyID, algorithm) else { return false }
        return (try? verifier.verify(token.signature, signs: token.signed)) ?? false
    }
}
