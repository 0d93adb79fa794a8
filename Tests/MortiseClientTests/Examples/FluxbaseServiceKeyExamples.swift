import FoundationEssentials
import MortiseClient

/// The examples in `ServiceKey.swift`.
enum FluxbaseServiceKeyExamples {
    static func example1(_ client: Mortise) async throws {
        for key in try await client.admin.serviceKeys.list() where key.isEnabled && key.revokedAt == nil {
            print(key.id, key.name, key.description ?? "", key.keyPrefix, "may", key.scopes)
            print("in", key.allowedNamespaces ?? ["every namespace"], "until", key.expiresAt ?? .distantFuture)
            if key.keyType == .anon, key.rateLimitPerMinute == nil, key.rateLimitPerHour == nil {
                print("The public has no limit here; ask", key.createdBy ?? "somebody")
            }
        }
    }

    static func example2(_ client: Mortise) async throws {
        let old = try await client.admin.serviceKeys.get("0198c0de-0000-7000-8000-000000000001")
        if let start = old.deprecatedAt, let end = old.gracePeriodEndsAt, let successor = old.replacedBy {
            let isInUse = (old.lastUsedAt ?? old.createdAt) > start
            print(successor, "takes over until", end, isInUse ? "and not everybody has it" : "")
        }
    }

    static func example3(_ client: Mortise) async throws {
        let site = try await client.admin.serviceKeys.create(name: "Site", keyType: .anon)
        print(site.serviceKey.scopes)
        let backend = try await client.admin.serviceKeys.create(name: "Backend", keyType: .service)
        print(backend.serviceKey.keyType.rawValue)
    }

    static func example4(_ client: Mortise) async throws {
        let rotated = try await client.admin.serviceKeys.rotate("0198c0de-0000-7000-8000-000000000001")
        try rotated.key.reveal().write(toFile: "service.key", atomically: true, encoding: .utf8)
        print("The new key is", rotated.serviceKey.id)
    }

    static func example5(_ client: Mortise) async throws {
        let deprecation = try await client.admin.serviceKeys.deprecate("0198c0de-0000-7000-8000-000000000001")
        let pause = deprecation.gracePeriodEndsAt.timeIntervalSince(deprecation.deprecatedAt)
        print("It works for", pause / 3600, "hours yet.")
    }

    static func example6(_ client: Mortise) async throws {
        let history = try await client.admin.serviceKeys.getRevocationHistory("0198c0de-0000-7000-8000-000000000001")
        if let time = history.revokedAt {
            print(history.revokedBy, "revoked", history.name, history.id, "at", time, history.revocationReason)
        }
    }
}
