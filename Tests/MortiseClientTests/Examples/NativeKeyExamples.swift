import FoundationEssentials
import MortiseClient

/// The examples in `Key.swift`.
enum NativeKeyExamples {
    static func example1(_ client: Mortise) async throws {
        let key = try await client.keys(.service(workspace: "shop")).get("0198c0de-0000-7000-8000-000000000001")
        print(key.name, key.status == .active, key.scopes)
    }

    static func example2() {
        let draft = Mortise.KeyDraft(name: "nightly", mode: .test)
        print(draft.mode ?? .live)
    }

    static func example3(_ client: Mortise) async throws {
        let revoked = try await client.keys(.service(workspace: "shop")).list(status: .revoked).all()
        print(revoked.count)
    }

    static func example4(_ client: Mortise) async throws {
        let key = try await client.keys(.service(workspace: "shop")).get("0198c0de-0000-7000-8000-000000000001")
        for secret in key.secrets { print(secret.prefix, secret.lastUsedAt ?? secret.createdAt) }
    }

    static func example5(_ client: Mortise) async throws {
        let issued = try await client.keys(.service(workspace: "shop")).create(Mortise.KeyDraft(name: "CI"))
        try issued.token.reveal().write(toFile: "ci.key", atomically: true, encoding: .utf8)
    }
}
