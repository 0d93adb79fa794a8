import Crypto
import CryptoExtras
import FoundationEssentials
package import JSON

/// The private keys of a session issuer, and valid and invalid tokens.
package struct IssuerKeys: Sendable {
    package static let issuer = "https://issuer.example"

    package let id: String
    private let rsa: _RSA.Signing.PrivateKey
    private let ecdsa = P256.Signing.PrivateKey()
    private let eddsa = Curve25519.Signing.PrivateKey()

    package init(_ id: String = "k1") throws {
        self.id = id
        rsa = try _RSA.Signing.PrivateKey(keySize: .bits2048)
    }

    /// The public half of the RSA key, as a PEM text, which a faulty verifier would use as a shared secret.
    package var publicPEM: String { rsa.publicKey.pemRepresentation }

    /// The key set: RSA under the id itself, ECDSA and EdDSA under the id with a suffix, and keys that must be skipped.
    package func keySet() throws -> JSONValue {
        let point = Array(ecdsa.publicKey.rawRepresentation)
        return [
            "keys": [
                "nonsense", ["kty": "oct", "kid": "secret", "k": "AAAA"],
                ["kty": "RSA", "kid": "encryption", "use": "enc", "n": "AQAB", "e": "AQAB"],
                try rsaKey(hasID: true),
                [
                    "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": .string("\(id)-es"),
                    "x": Self.text(Array(point.prefix(32))), "y": Self.text(Array(point.suffix(32))),
                ],
                [
                    "kty": "OKP", "crv": "Ed25519", "kid": .string("\(id)-ed"),
                    "x": Self.text(Array(eddsa.publicKey.rawRepresentation)),
                ],
            ]
        ]
    }

    /// Returns the key set of the RSA key alone, with its id or without one.
    package func rsaKeySet(hasID: Bool) throws -> JSONValue { ["keys": [try rsaKey(hasID: hasID)]] }

    private func rsaKey(hasID: Bool) throws -> JSONValue {
        let parts = try rsa.publicKey.getKeyPrimitives()
        var key: JSONObject = [
            "kty": "RSA", "use": "sig", "n": Self.text(Array(parts.modulus)),
            "e": Self.text(Array(parts.publicExponent)),
        ]
        if hasID { key["kid"] = .string(id) }
        return .object(key)
    }

    /// Returns the claims of a session that is valid for a minute from `now`, with changes.
    ///
    /// `nil` removes a claim.
    package static func claims(at now: Int64, _ changes: [(String, JSONValue?)] = []) -> JSONObject {
        var claims: JSONObject = [
            "iss": .string(Self.issuer), "sub": "user_1", "sid": "sess_1", "azp": "https://app.example",
            "iat": .integer(now), "nbf": .integer(now), "exp": .integer(now + 60), "v": 2,
        ]
        for (name, value) in changes { claims[name] = value }
        return claims
    }

    /// Returns a token that is signed by RSA, with any header.
    package func rs256(_ claims: JSONObject, header: [(String, JSONValue?)] = []) throws -> String {
        try token(claims, "RS256", id, header) {
            try Array(rsa.signature(for: $0, padding: .insecurePKCS1v1_5).rawRepresentation)
        }
    }

    /// Returns a token that is signed by RSA, with claims that are any text.
    package func rs256(text: String) throws -> String {
        let header: JSONObject = ["alg": "RS256", "kid": .string(id), "typ": "JWT"]
        let signed = "\(Base64URL.encode(.object(header))).\(Base64URL.encode(text.utf8))"
        let signature = try rsa.signature(for: Array(signed.utf8), padding: .insecurePKCS1v1_5).rawRepresentation
        return "\(signed).\(Base64URL.encode(signature))"
    }

    /// Returns a token that is signed by RSA over the longer digest.
    package func rs512(_ claims: JSONObject) throws -> String {
        try token(claims, "RS512", id, []) {
            try Array(rsa.signature(for: SHA512.hash(data: $0), padding: .insecurePKCS1v1_5).rawRepresentation)
        }
    }

    /// Returns a token that is signed by ECDSA on P-256.
    package func es256(_ claims: JSONObject) throws -> String {
        try token(claims, "ES256", "\(id)-es", []) { try Array(ecdsa.signature(for: $0).rawRepresentation) }
    }

    /// Returns a token that is signed by Ed25519.
    package func ed25519(_ claims: JSONObject) throws -> String {
        try token(claims, "EdDSA", "\(id)-ed", []) { try Array(eddsa.signature(for: $0)) }
    }

    /// Returns a token that is signed with the attacker's shared secret.
    package func hs256(_ claims: JSONObject, secret: String, keyID: String? = nil) throws -> String {
        try token(claims, "HS256", keyID ?? id, []) {
            Array(HMAC<SHA256>.authenticationCode(for: $0, using: SymmetricKey(data: Array(secret.utf8))))
        }
    }

    /// Returns a token without a signature.
    package func unsigned(_ claims: JSONObject, algorithm: String) throws -> String {
        try token(claims, algorithm, id, []) { _ in [] }
    }

    private func token(
        _ claims: JSONObject,
        _ algorithm: String,
        _ keyID: String,
        _ changes: [(String, JSONValue?)],
        _ sign: ([UInt8]) throws -> [UInt8]
    ) throws -> String {
        var header: JSONObject = ["alg": .string(algorithm), "kid": .string(keyID), "typ": "JWT"]
        for (name, value) in changes { header[name] = value }
        let signed = [header, claims].map { Base64URL.encode(.object($0)) }.joined(separator: ".")
        return signed + "." + Base64URL.encode(try sign(Array(signed.utf8)))
    }

    private static func text(_ bytes: [UInt8]) -> JSONValue { .string(Base64URL.encode(bytes)) }
}
