import FoundationEssentials
import MortiseClient

/// The examples in `KeySettings.swift`.
enum NativeKeySettingsExamples {
    static func example1(_ client: Mortise) async throws {
        var draft = Mortise.KeyDraft(name: "CI", scopes: ["read:orders"])
        draft.description = "the nightly build"
        draft.mode = .test
        draft.allowedAddresses = ["203.0.113.7", "2001:db8::/32"]
        draft.allowedNamespaces = ["eu"]
        draft.rateLimitPerHour = 5000
        draft.expiresAt = Date(timeIntervalSinceNow: 90 * 86_400)
        draft.metadata = ["team": "platform"]
        let issued = try await client.keys(.service(workspace: "shop")).create(draft)
        print(issued.key.id)
    }

    static func example2(_ client: Mortise) async throws {
        let phone = Mortise.KeyDraft(name: "phone", subject: "user_42", rateLimitPerMinute: 60)
        let issued = try await client.keys(.client(workspace: "shop")).create(phone)
        print(issued.key.subject ?? "")
        let site = Mortise.KeyDraft(name: "site", type: "anon", scopes: ["read:*"])
        print(try await client.keys(.service(workspace: "shop")).create(site).key.type ?? "")
        let robot = Mortise.KeyDraft(name: "robot", permissions: ["keys:read", "keys:write"])
        print(try await client.keys(.admin(organization: "acme")).create(robot).key.permissions)
    }

    static func example3(_ client: Mortise) async throws {
        var changes = Mortise.KeyChanges()
        changes.permissions = .set(["keys:read", "events:read"])
        changes.expiresAt = .clear
        let key = try await client.keys(.operator).update("0198c0de-0000-7000-8000-000000000001", changes)
        print(key.permissions)
    }

    static func example4(_ client: Mortise) async throws {
        var changes = Mortise.KeyChanges()
        changes.description = .clear
        changes.scopes = .set(["read:orders", "read:items"])
        changes.allowedAddresses = .set(["192.0.2.0/24"])
        changes.allowedNamespaces = .clear
        changes.rateLimitPerMinute = .set(600)
        changes.rateLimitPerHour = .clear
        changes.metadata = .set(["team": "platform"])
        let keys = client.keys(.service(workspace: "shop"))
        print(try await keys.update("0198c0de-0000-7000-8000-000000000001", changes).updatedAt)
    }

    static func example5(_ client: Mortise) async throws {
        var changes = Mortise.KeyChanges()
        changes.name = "CI of the shop"
        let key = try await client.keys(.operator).update("0198c0de-0000-7000-8000-000000000001", changes)
        print(key.name)
    }
}
