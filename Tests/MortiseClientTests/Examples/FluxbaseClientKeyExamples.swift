import FoundationEssentials
import MortiseClient

/// The examples in `ClientKey.swift`.
enum FluxbaseClientKeyExamples {
    static func example1(_ client: Mortise) async throws {
        let key = try await client.management.clientKeys.get("0198c0de-0000-7000-8000-000000000001")
        print(key.keyPrefix, key.lastUsedAt ?? key.createdAt)
    }

    static func example2(_ client: Mortise) async throws {
        let created = try await client.management.apiKeys.create(name: "Reports", scopes: ["read:tables"])
        try created.key.reveal().write(toFile: "reports.key", atomically: true, encoding: .utf8)
    }

    static func example3(_ client: Mortise) async throws {
        let list = try await client.management.clientKeys.list()
        for key in list.clientKeys { print(key.name) }
    }
}
