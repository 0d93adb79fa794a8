import FoundationEssentials
import MortiseClient

/// The examples in `ClerkAPIKeysManager.swift`.
enum ClerkAPIKeysManagerExamples {
    static func example1(_ client: Mortise) async throws {
        let key = try await client.apiKeys.create(name: "My key", secondsUntilExpiration: 86_400)
        print(key.id)
    }

    static func example2(_ client: Mortise) async throws {
        let page = try await client.apiKeys.getAll(query: "report", pageSize: 20)
        print(page.data.map(\.name), page.totalCount)
    }

    static func example3(_ client: Mortise) async throws {
        let key = try await client.apiKeys.create(
            name: "My API key",
            secondsUntilExpiration: 86_400,
            description: "API key for third-party service"
        )
        try key.secret?.reveal().write(toFile: "api.key", atomically: true, encoding: .utf8)
    }

    static func example4(_ client: Mortise) async throws {
        let key = try await client.apiKeys.revoke(
            apiKeyID: "ak_0198c0de00007000800000000000000a",
            revocationReason: "No longer needed"
        )
        print(key.isRevoked)
    }
}
