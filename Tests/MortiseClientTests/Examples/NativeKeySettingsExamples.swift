import FoundationEssentials
import MortiseClient

/// The examples in `KeySettings.swift`.
enum NativeKeySettingsExamples {
    static func example1(_ client: Mortise) async throws {
        var draft = Mortise.KeyDraft(name: "CI", scopes: ["read:orders"])
        draft.expiresAt = Date(timeIntervalSinceNow: 90 * 86_400)
        draft.metadata = ["team": "platform"]
        let issued = try await client.keys(.service(workspace: "shop")).create(draft)
        print(issued.key.id)
    }

    static func example2(_ client: Mortise) async throws {
        let draft = Mortise.KeyDraft(name: "phone", subject: "user_42", rateLimitPerMinute: 60)
        let issued = try await client.keys(.client(workspace: "shop")).create(draft)
        print(issued.key.subject ?? "")
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
        changes.name = "CI of the shop"
        let key = try await client.keys(.operator).update("0198c0de-0000-7000-8000-000000000001", changes)
        print(key.name)
    }
}
