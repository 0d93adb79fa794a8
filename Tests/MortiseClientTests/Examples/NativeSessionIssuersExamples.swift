import MortiseClient

/// The examples in `SessionIssuers.swift`.
enum NativeSessionIssuersExamples {
    static func example1(_ client: Mortise) async throws {
        let issuers = client.sessionIssuers(of: "acme")
        for try await issuer in issuers.list() where issuer.issuer == "https://old.example.com" {
            try await issuers.remove(issuer.id)
        }
    }

    static func example2(_ client: Mortise) async throws {
        for try await issuer in client.sessionIssuers(of: "acme").list() { print(issuer.issuer) }
    }

    static func example3(_ client: Mortise) async throws {
        let issuers = client.sessionIssuers(of: "acme")
        let issuer = try await issuers.add(
            issuer: "https://clerk.example.com",
            keys: .url("https://clerk.example.com/.well-known/jwks.json"),
            authorizedParties: ["https://app.example.com"],
            readRoles: ["member"]
        )
        print(issuer.id)
    }

    static func example4(_ client: Mortise) async throws {
        try await client.sessionIssuers(of: "acme").remove("0198c0de-0000-7000-8000-000000000001")
    }
}
