import FoundationEssentials
import MortiseClient

/// The examples in `ClientKey.swift`.
enum FluxbaseClientKeyExamples {
    static func example1(_ client: Mortise) async throws {
        let keys = client.management.clientKeys
        for key in try await keys.list().clientKeys where key.revokedAt == nil && key.expiresAt == nil {
            let isForgotten = (key.lastUsedAt ?? key.createdAt).timeIntervalSinceNow < -90 * 86_400
            if isForgotten {
                print(key.keyPrefix, key.name, key.description ?? "", "of", key.userID, "may", key.scopes)
                try await keys.revoke(key.id)
            }
        }
    }

    static func example2(_ client: Mortise) async throws {
        let key = try await client.management.clientKeys.get("0198c0de-0000-7000-8000-000000000001")
        let places = key.allowedNamespaces?.joined(separator: ", ") ?? "every namespace"
        print(key.rateLimitPerMinute, "calls a minute in", places, "since", key.updatedAt ?? key.createdAt)
    }

    static func example3(_ client: Mortise) async throws {
        let created = try await client.management.apiKeys.create(name: "Reports", scopes: ["read:tables"])
        try created.key.reveal().write(toFile: "reports.key", atomically: true, encoding: .utf8)
        print(created.clientKey.id, created.apiKey == created.clientKey)  // true: the older name of the same key
    }

    static func example4(_ client: Mortise) async throws {
        let list = try await client.management.clientKeys.list()
        for key in list.clientKeys { print(key.name) }
        print(list.total, list.apiKeys == list.clientKeys)  // true: the older name of the same keys
    }
}
