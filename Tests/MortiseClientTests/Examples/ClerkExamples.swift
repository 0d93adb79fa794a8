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
        for key in page.data { print(key.name, key.expiration ?? .distantFuture) }
    }

    static func example3(_ client: Mortise) async throws {
        let third = try await client.apiKeys.getAll(initialPage: 3, pageSize: 10)
        print(third.data.count, "of", third.totalCount)
    }
}
