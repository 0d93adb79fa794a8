import FoundationEssentials
import MortiseClient

/// The examples in `Clerk.swift`.
enum ClerkExamples {
    static func example1(_ client: Mortise) async throws {
        let key: Clerk.APIKeyResource = try await client.apiKeys.create(name: "My key", description: "For my laptop")
        print(key.id)
    }

    static func example2(_ client: Mortise) async throws {
        let page = try await client.apiKeys.getAll(subject: "user_2abcdefghijklmnopqrstuvwxyz")
        for key in page.data {
            print(key.name, key.description ?? "", key.scopes, key.expiration ?? .distantFuture)
            if case .object(let claims) = key.claims { print("on the plan", claims["plan"] ?? "free") }
            let isForgotten = (key.lastUsedAt ?? key.createdAt).timeIntervalSinceNow < -90 * 86_400
            if isForgotten { print("Does", key.createdBy ?? key.subject, "still need", key.id) }
        }
    }

    static func example3(_ client: Mortise) async throws {
        let key = try await client.apiKeys.create(name: "My key", secondsUntilExpiration: 86_400)
        try key.secret?.reveal().write(toFile: "my.key", atomically: true, encoding: .utf8)
        let ended = try await client.apiKeys.revoke(apiKeyID: key.id, revocationReason: "lost")
        if ended.isRevoked { print(ended.type, "revoked at", ended.updatedAt, ended.revocationReason ?? "") }
        if ended.isExpired { print("Its day was over in any case.") }
    }

    static func example4(_ client: Mortise) async throws {
        let third = try await client.apiKeys.getAll(initialPage: 3, pageSize: 10)
        print(third.data.count, "of", third.totalCount)
    }
}
