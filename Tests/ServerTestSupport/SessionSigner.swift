import CryptoExtras
import FoundationEssentials
package import JSON

/// Signs sessions like an application's identity provider.
package struct SessionSigner: Sendable {
    /// The claim `iss` of the sessions.
    package static let issuer = "https://clerk.app.example"

    /// A user of the application.
    package static let user = "user_" + String(repeating: "a", count: 27)

    /// The id of the key.
    package let keyID: String
    private let key: _RSA.Signing.PrivateKey

    /// Creates a signer with its own key.
    package init(keyID: String = "ins_1") throws {
        self.keyID = keyID
        key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
    }

    /// The public key as a JSON Web Key Set.
    package func keySet() throws -> JSONValue {
        let parts = try key.publicKey.getKeyPrimitives()
        let web: JSONValue = [
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": .string(keyID),
            "n": .string(Base64URL.encode(parts.modulus)),
            "e": .string(Base64URL.encode(parts.publicExponent)),
        ]
        return ["keys": [web]]
    }

    /// Returns a session of a user, in version 2 of the claims, valid for an hour.
    package func session(
        _ user: String = Self.user,
        organization: String? = nil,
        role: String = "admin",
        _ changes: JSONObject = [:]
    ) throws -> String {
        let now = Int64(Date().timeIntervalSince1970)
        var claims: JSONObject = [
            "iss": .string(Self.issuer), "sub": .string(user), "sid": "sess_1", "azp": "https://app.example", "v": 2,
            "iat": .integer(now), "nbf": .integer(now - 10), "exp": .integer(now + 3600),
        ]
        if let organization { claims["o"] = ["id": .string(organization), "slg": "acme", "rol": .string(role)] }
        for (name, value) in changes.members { claims[name] = value }
        return try sign(claims)
    }

    /// Returns a session in version 1 of the claims.
    package func oldSession(organization: String, role: String) throws -> String {
        try session(Self.user, ["v": 1, "org_id": .string(organization), "org_role": .string(role)])
    }

    /// Returns a session with other claims.
    package func session(_ user: String, _ changes: JSONObject) throws -> String {
        try session(user, organization: nil, changes)
    }

    private func sign(_ claims: JSONObject) throws -> String {
        let header: JSONValue = ["alg": "RS256", "typ": "JWT", "kid": .string(keyID)]
        let head = Base64URL.encode(header)
        let signed = "\(head).\(Base64URL.encode(JSONValue.object(claims)))"
        let signature = try key.signature(for: Data(signed.utf8), padding: .insecurePKCS1v1_5)
        return "\(signed).\(Base64URL.encode(signature.rawRepresentation))"
    }
}
