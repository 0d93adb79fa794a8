import MortiseClient

/// The examples in `Workspaces.swift`.
enum NativeWorkspacesExamples {
    static func example1(_ client: Mortise) async throws {
        let shop = try await client.workspaces.get("shop")
        print(shop.id)
    }

    static func example2(_ client: Mortise) async throws {
        let workspace = try await client.workspaces.create(name: "Shop", organization: "acme")
        print(workspace.slug)
    }

    static func example3(_ client: Mortise) async throws {
        for try await workspace in client.workspaces.list(state: .active) { print(workspace.slug) }
    }

    static func example4(_ client: Mortise) async throws {
        let workspace = try await client.workspaces.get("default")
        print(workspace.isDefault)
    }

    static func example5(_ client: Mortise) async throws {
        let renamed = try await client.workspaces.update("shop", name: .set("The shop"))
        print(renamed.name ?? "without a name")
    }

    static func example6(_ client: Mortise) async throws {
        let workspace = try await client.workspaces.suspend("shop")
        print(workspace.state == .suspended)
    }

    static func example7(_ client: Mortise) async throws {
        let workspace = try await client.workspaces.resume("shop")
        print(workspace.state == .active)
    }

    static func example8(_ client: Mortise) async throws {
        let workspace = try await client.workspaces.archive("shop")
        print(workspace.archivedAt ?? workspace.updatedAt)
    }

    static func example9(_ client: Mortise) async throws {
        try await client.workspaces.delete("shop")
    }

    static func example10(_ client: Mortise) async throws {
        for try await event in client.workspaces.events("shop", EventFilter(type: "revoked")) {
            print(event.occurredAt, event.actor)
        }
    }
}
