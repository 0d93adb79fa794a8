import FoundationEssentials
import MortiseClient

/// The examples in `Key.swift`.
enum NativeKeyExamples {
    static func example1(_ client: Mortise) async throws {
        for try await key in client.keys(.service(workspace: "shop")).list() where key.status == .active {
            print(key.id, key.name, key.prefix, key.description ?? "", "may", key.scopes)
            print("made by", key.createdBy, "at", key.createdAt, "for", key.metadata["team"] ?? "nobody")
            let lastUse = key.lastUsedAt ?? key.createdAt
            let isForgotten = key.expiresAt == nil && lastUse.timeIntervalSinceNow < -90 * 86_400
            if isForgotten { print("Nobody used it for 90 days, and it never expires.") }
        }
    }

    static func example2(_ client: Mortise) async throws {
        let key = try await client.keys(.client(workspace: "shop")).get("0198c0de-0000-7000-8000-000000000001")
        print(key.subject ?? "nobody", key.type ?? "unlabelled", key.mode.rawValue, key.workspaceID ?? "")
        print("from", key.allowedAddresses.isEmpty ? ["everywhere"] : key.allowedAddresses)
        print("in", key.allowedNamespaces ?? ["every namespace"])
        if key.rateLimitPerMinute == nil, key.rateLimitPerHour == nil { print("as often as they like") }
    }

    static func example3(_ client: Mortise) async throws {
        let key = try await client.keys(.admin(organization: "acme")).get("0198c0de-0000-7000-8000-000000000001")
        if let time = key.revokedAt {
            print(key.revokedBy ?? "somebody", "revoked it at", time, key.revocationReason ?? "")
        } else if let time = key.deprecatedAt, let end = key.gracePeriodEndsAt {
            print("since", time, "it ends at", end, "in favour of", key.replacedBy ?? "nothing")
        } else if key.secrets.count == 2 {
            print("rotated at", key.updatedAt, "and may still", key.permissions)
        }
    }

    static func example4() {
        let draft = Mortise.KeyDraft(name: "nightly", mode: .test)
        print((draft.mode ?? .live).rawValue)
    }

    static func example5(_ client: Mortise) async throws {
        for try await key in client.keys(.service(workspace: "shop")).list() {
            switch key.status {
            case .active: print(key.name, "works")
            case .deprecated: print(key.name, "works until", key.gracePeriodEndsAt ?? .distantFuture)
            case .disabled: print(key.name, "works when it is enabled again")
            case .expired, .revoked: print(key.name, "is over")
            default: print(key.name, key.status.rawValue)
            }
        }
    }

    static func example6(_ client: Mortise) async throws {
        let key = try await client.keys(.service(workspace: "shop")).get("0198c0de-0000-7000-8000-000000000001")
        for secret in key.secrets {
            guard let end = secret.endsAt, let use = secret.lastUsedAt else { continue }
            print("The old token", secret.prefix, "of", secret.createdAt, "ends at", end, "and was in use at", use)
        }
    }

    static func example7(_ client: Mortise) async throws {
        let issued = try await client.keys(.service(workspace: "shop")).create(Mortise.KeyDraft(name: "CI"))
        try issued.token.reveal().write(toFile: "ci.key", atomically: true, encoding: .utf8)
        print(issued.key.id)
    }
}
