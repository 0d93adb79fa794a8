import MortiseClient

/// The examples in `Verdict.swift`.
enum NativeVerdictExamples {
    static func example1(_ client: Mortise) async throws {
        let verdict = try await client.verify(SecretToken("mks_live_…"), scopes: ["read:orders"])
        guard verdict.isValid, let key = verdict.key else { return }
        print(key.name)
    }

    static func example2(_ client: Mortise) async throws {
        let verdict = try await client.verify(SecretToken("mks_live_…"))
        if verdict.code == .rateLimited { print("Slow down.") }
    }

    static func example3(_ client: Mortise) async throws {
        let verdict = try await client.verify(SecretToken("mkc_live_…"))
        print(verdict.key?.subject ?? "nobody")
    }

    static func example4(_ client: Mortise) async throws {
        let verdict = try await client.verify(SecretToken("mks_live_…"))
        if let limit = verdict.rateLimit { print(limit.remaining, "of", limit.limit) }
    }
}
