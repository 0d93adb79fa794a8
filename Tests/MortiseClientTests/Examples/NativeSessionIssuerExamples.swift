import MortiseClient

/// The examples in `SessionIssuer.swift`.
enum NativeSessionIssuerExamples {
    static func example1(_ client: Mortise) async throws {
        for try await issuer in client.sessionIssuers(of: "acme").list() {
            let keys = issuer.jwksURL ?? issuer.jwksFile ?? (issuer.hasInlineJWKS ? "given when it was added" : "")
            print(issuer.id, issuer.issuer, "signs by", issuer.algorithms, "with the keys", keys)
            print("since", issuer.createdAt, "in", issuer.organizationID)
            print(issuer.readRoles, "see, and", issuer.manageRoles, "manage an organization's keys")
            if issuer.authorizedParties.isEmpty { print("Sessions of every site of the issuer count.") }
        }
    }

    static func example2(_ client: Mortise) async throws {
        let issuers = client.sessionIssuers(of: "acme")
        let clerk = "https://clerk.example.com"
        let hosted = try await issuers.add(issuer: clerk, keys: .url("\(clerk)/.well-known/jwks.json"))
        let mounted = try await issuers.add(issuer: "https://sso.example.com", keys: .file("/etc/mortise/sso.json"))
        let key: JSONContent = ["kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"]
        let keys = Mortise.SessionIssuer.KeySource.inline(["keys": [key]])
        let fixed = try await issuers.add(issuer: "https://test.example.com", keys: keys, algorithms: ["EdDSA"])
        print(hosted.id, mounted.id, fixed.id)
    }
}
