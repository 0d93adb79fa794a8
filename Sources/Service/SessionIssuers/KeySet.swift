import FoundationEssentials
import JSON
import JWTKit

/// The public keys of a session issuer or of the identity provider, by key id.
struct KeySet: Sendable {
    /// The maximum length of a key set, in bytes.
    static let maximumBytes = 262_144
    private static let maximumKeys = 100

    private let keys: [String: JWK]
    /// The keys without an id.
    private let unnamed: [JWK]

    /// Parses a JSON Web Key Set and skips the keys that it cannot use (RFC 7517 section 5).
    ///
    /// The result is `nil` if the text is no key set or has no usable key.
    ///
    /// - Parameters:
    ///   - bytes: The text.
    ///   - allowsKeysWithoutID: True to keep a key without an id, which only a token without an id can name.
    init?(_ bytes: [UInt8], allowsKeysWithoutID: Bool = false) {
        let limits = JSONLimits(maximumBytes: Self.maximumBytes)
        guard let value = try? JSONValue(parsing: bytes, limits: limits), let list = value["keys"]?.array else {
            return nil
        }
        var keys: [String: JWK] = [:]
        var unnamed: [JWK] = []
        var ambiguous: Set<String> = []
        for case .object(let object) in list.prefix(Self.maximumKeys) {
            guard let key = Self.key(object) else { continue }
            guard let id = object["kid"]?.string, !id.isEmpty else {
                if allowsKeysWithoutID, object["kid"] == nil { unnamed.append(key) }
                continue
            }
            if keys.updateValue(key, forKey: id) != nil { ambiguous.insert(id) }
        }
        // Two keys with the same id are ambiguous.
        for id in ambiguous { keys[id] = nil }
        guard !keys.isEmpty || !unnamed.isEmpty else { return nil }
        self.keys = keys
        self.unnamed = unnamed
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
        for (id, key) in keys.map({ ($0, $1) }) + unnamed.map({ (Self.noID, $0) }) {
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
        // A collection finds keys by their ids alone.
        key.keyIdentifier = JWKIdentifier(string: keyID)
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

    /// Returns true if a token is signed with an algorithm, by the key that it names or, if it names none, by the only key.
    ///
    /// With several keys a token must name one (OpenID Connect Core section 10.1).
    func verifies(_ token: CompactJWS, algorithm: String) async -> Bool {
        guard token.header["kid"] == nil else {
            guard let keyID = token.keyID else { return false }
            return await verifies(token, algorithm: algorithm, keyID: keyID)
        }
        let all = Array(keys.values) + unnamed
        guard all.count == 1, let verifier = await verifier(all[0], Self.noID, algorithm) else { return false }
        return (try? verifier.verify(token.signature, signs: token.signed)) ?? false
    }

    /// The id of a key that has none, in a collection of its own.
    private static let noID = "only"
}
