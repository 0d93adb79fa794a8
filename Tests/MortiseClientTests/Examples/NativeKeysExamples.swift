import FoundationEssentials
import MortiseClient

/// The examples in `Keys.swift`.
enum NativeKeysExamples {
    static func example1(_ client: Mortise) async throws {
        let keys = client.keys(.service(workspace: "shop"))
        for try await key in keys.list(status: .active) { print(keys.collection, key.name, key.prefix) }
    }

    static func example2(_ client: Mortise) async throws {
        let issued = try await client.keys(.service(workspace: "shop")).create(Mortise.KeyDraft(name: "CI"))
        try issued.token.reveal().write(toFile: "ci.key", atomically: true, encoding: .utf8)
    }

    static func example3(_ client: Mortise) async throws {
        for try await key in client.keys(.service(workspace: "shop")).list(query: "CI") { print(key.name) }
    }

    static func example4(_ client: Mortise) async throws {
        let key = try await client.keys(.operator).get("0198c0de-0000-7000-8000-000000000001")
        print(key.permissions)
    }

    static func example5(_ client: Mortise) async throws {
        var changes = Mortise.KeyChanges()
        changes.rateLimitPerMinute = .set(600)
        let keys = client.keys(.service(workspace: "shop"))
        let key = try await keys.update("0198c0de-0000-7000-8000-000000000001", changes)
        print(key.rateLimitPerMinute ?? 0)
    }

    static func example6(_ client: Mortise) async throws {
        try await client.keys(.service(workspace: "shop")).delete("0198c0de-0000-7000-8000-000000000001")
    }

    static func example7(_ client: Mortise) async throws {
        for try await event in client.keys(.operator).events("0198c0de-0000-7000-8000-000000000001") {
            print(event.type, event.actor)
        }
    }
}
