import FoundationEssentials
import MortiseClient

/// The examples in `ServiceKeysManager.swift`.
enum FluxbaseServiceKeysManagerExamples {
    static func example1(_ client: Mortise) async throws {
        let manager = client.forWorkspace("shop").admin.serviceKeys
        for key in try await manager.list() { print(key.name, key.keyPrefix) }
    }

    static func example2(_ client: Mortise) async throws {
        let keys = try await client.admin.serviceKeys.list()
        print(keys.count)
    }

    static func example3(_ client: Mortise) async throws {
        let key = try await client.admin.serviceKeys.get("0198c0de-0000-7000-8000-000000000001")
        print(key.scopes)
    }

    static func example4(_ client: Mortise) async throws {
        let created = try await client.admin.serviceKeys.create(
            name: "Production API Key",
            scopes: ["*"],
            rateLimitPerMinute: 1000
        )
        try created.key.reveal().write(toFile: "service.key", atomically: true, encoding: .utf8)
    }

    static func example5(_ client: Mortise) async throws {
        let key = try await client.admin.serviceKeys.update(
            "0198c0de-0000-7000-8000-000000000001",
            name: "New name",
            rateLimitPerMinute: 2000
        )
        print(key.name)
    }

    static func example6(_ client: Mortise) async throws {
        try await client.admin.serviceKeys.delete("0198c0de-0000-7000-8000-000000000001")
    }
}
