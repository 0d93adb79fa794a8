import FoundationEssentials
import MortiseClient

/// The examples in `Keys+Lifecycle.swift`.
enum NativeKeysLifecycleExamples {
    static func example1(_ client: Mortise) async throws {
        let key = try await client.keys(.service(workspace: "shop")).disable("0198c0de-0000-7000-8000-000000000001")
        print(key.status == .disabled)
    }

    static func example2(_ client: Mortise) async throws {
        let key = try await client.keys(.service(workspace: "shop")).enable("0198c0de-0000-7000-8000-000000000001")
        print(key.status == .active)
    }

    static func example3(_ client: Mortise) async throws {
        let keys = client.keys(.service(workspace: "shop"))
        let key = try await keys.deprecate(
            "0198c0de-0000-7000-8000-000000000001",
            reason: "replaced by CI2",
            gracePeriod: .seconds(7 * 86_400)
        )
        print(key.gracePeriodEndsAt ?? key.updatedAt)
    }

    static func example4(_ client: Mortise) async throws {
        let keys = client.keys(.service(workspace: "shop"))
        let issued = try await keys.rotate("0198c0de-0000-7000-8000-000000000001", gracePeriod: .seconds(3600))
        try issued.token.reveal().write(toFile: "ci.key", atomically: true, encoding: .utf8)
    }

    static func example5(_ client: Mortise) async throws {
        let keys = client.keys(.service(workspace: "shop"))
        let key = try await keys.revoke("0198c0de-0000-7000-8000-000000000001", reason: "leaked")
        print(key.status == .revoked)
    }
}
