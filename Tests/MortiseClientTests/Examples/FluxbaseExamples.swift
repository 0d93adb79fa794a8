import MortiseClient

/// The examples in `Fluxbase.swift`.
enum FluxbaseExamples {
    static func example1(_ client: Mortise) async throws {
        let key: Fluxbase.ClientKey = try await client.management.clientKeys.get("0198c0de-0000-7000-8000-000000000001")
        print(key.name)
    }

    static func example2(_ client: Mortise) async throws {
        let created = try await client.management.clientKeys.create(name: "Reports", scopes: ["read:tables"])
        print(created.clientKey.id)
    }

    static func example3(_ client: Mortise) async throws {
        let list = try await client.management.clientKeys.list()
        print(list.total)
    }

    static func example4(_ client: Mortise) async throws {
        let list = try await client.management.apiKeys.list()
        print(list.apiKeys.map(\.name))
    }

    static func example5(_ client: Mortise) async throws {
        let key: Fluxbase.APIKey = try await client.management.apiKeys.get("0198c0de-0000-7000-8000-000000000001")
        print(key.keyPrefix)
    }

    static func example6(_ client: Mortise) async throws {
        let manager: Fluxbase.APIKeysManager = client.management.apiKeys
        try await manager.revoke("0198c0de-0000-7000-8000-000000000001")
    }

    static func example7(_ client: Mortise) async throws {
        let manager = client.management.apiKeys
        let made: Fluxbase.CreateAPIKeyResponse = try await manager.create(name: "Reports", scopes: ["read:tables"])
        print(made.apiKey.id)
    }

    static func example8(_ client: Mortise) async throws {
        let found: Fluxbase.ListAPIKeysResponse = try await client.management.apiKeys.list()
        print(found.total)
    }
}
