import FoundationEssentials
import MortiseClient

/// The examples in `ServiceKeysManager+Lifecycle.swift`.
enum FluxbaseServiceKeysManagerLifecycleExamples {
    static func example1(_ client: Mortise) async throws {
        try await client.admin.serviceKeys.disable("0198c0de-0000-7000-8000-000000000001")
    }

    static func example2(_ client: Mortise) async throws {
        try await client.admin.serviceKeys.enable("0198c0de-0000-7000-8000-000000000001")
    }

    static func example3(_ client: Mortise) async throws {
        try await client.admin.serviceKeys.revoke("0198c0de-0000-7000-8000-000000000001", reason: "Key was compromised")
    }

    static func example4(_ client: Mortise) async throws {
        let deprecation = try await client.admin.serviceKeys.deprecate(
            "0198c0de-0000-7000-8000-000000000001",
            reason: "Rotating to new key",
            gracePeriodHours: 48
        )
        print(deprecation.gracePeriodEndsAt)
    }

    static func example5(_ client: Mortise) async throws {
        let rotated = try await client.admin.serviceKeys.rotate("0198c0de-0000-7000-8000-000000000001")
        try rotated.key.reveal().write(toFile: "service.key", atomically: true, encoding: .utf8)
        print(rotated.serviceKey.id, rotated.serviceKey.deprecatedAt ?? rotated.serviceKey.createdAt)
    }

    static func example6(_ client: Mortise) async throws {
        let history = try await client.admin.serviceKeys.getRevocationHistory("0198c0de-0000-7000-8000-000000000001")
        print(history.revokedBy, history.revocationReason)
    }
}
