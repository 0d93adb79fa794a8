import FoundationEssentials
import MortiseClient

/// The examples in `ServiceKey.swift`.
enum FluxbaseServiceKeyExamples {
    static func example1(_ client: Mortise) async throws {
        let key = try await client.admin.serviceKeys.get("0198c0de-0000-7000-8000-000000000001")
        print(key.name, key.isEnabled, key.keyType == .anon)
    }

    static func example2(_ client: Mortise) async throws {
        let site = try await client.admin.serviceKeys.create(name: "Site", keyType: .anon)
        print(site.serviceKey.scopes)
    }

    static func example3(_ client: Mortise) async throws {
        let rotated = try await client.admin.serviceKeys.rotate("0198c0de-0000-7000-8000-000000000001")
        try rotated.key.reveal().write(toFile: "service.key", atomically: true, encoding: .utf8)
    }

    static func example4(_ client: Mortise) async throws {
        let deprecation = try await client.admin.serviceKeys.deprecate("0198c0de-0000-7000-8000-000000000001")
        print(deprecation.gracePeriodEndsAt)
    }

    static func example5(_ client: Mortise) async throws {
        let history = try await client.admin.serviceKeys.getRevocationHistory("0198c0de-0000-7000-8000-000000000001")
        print(history.revokedAt == nil ? "never revoked" : history.revocationReason)
    }
}
