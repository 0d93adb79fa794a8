import FoundationEssentials
import MortiseClient

/// The examples in `ClientKeysManager.swift`.
enum FluxbaseClientKeysManagerExamples {
    static func example1(_ client: Mortise) async throws {
        let manager = client.management.clientKeys
        let created = try await manager.create(name: "Reports", scopes: ["read:tables"])
        try await manager.revoke(created.clientKey.id)
    }

    static func example2(_ client: Mortise) async throws {
        let created = try await client.management.apiKeys.create(
            name: "Production Service",
            scopes: ["read:users", "write:users"],
            rateLimitPerMinute: 100
        )
        try created.key.reveal().write(toFile: "service.key", atomically: true, encoding: .utf8)
    }

    static func example3(_ client: Mortise) async throws {
        let list = try await client.management.clientKeys.list()
        for key in list.clientKeys { print(key.name, key.keyPrefix) }
    }

    static func example4(_ client: Mortise) async throws {
        let key = try await client.management.apiKeys.get("0198c0de-0000-7000-8000-000000000001")
        print(key.scopes)
    }

    static func example5(_ client: Mortise) async throws {
        let key = try await client.management.clientKeys.update(
            "0198c0de-0000-7000-8000-000000000001",
            name: "Updated name",
            rateLimitPerMinute: 200
        )
        print(key.rateLimitPerMinute)
    }

    static func example6(_ client: Mortise) async throws {
        try await client.management.clientKeys.revoke("0198c0de-0000-7000-8000-000000000001")
    }

    static func example7(_ client: Mortise) async throws {
        try await client.management.apiKeys.delete("0198c0de-0000-7000-8000-000000000001")
    }
}
