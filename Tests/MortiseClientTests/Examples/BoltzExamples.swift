import FoundationEssentials
import MortiseClient

/// The examples in `Boltz.swift`.
enum BoltzExamples {
    static func example1(_ client: Mortise) async throws {
        let created: Boltz.CreatedAPIKey = try await client.admin.apiKeys.create(name: "x")
        print(created.keyDetails.id)
    }

    static func example2(_ client: Mortise) async throws {
        for try await key in client.admin.apiKeys.list() where key.isActive && key.isLive {
            let place = key.keyType == .admin ? "the organization" : key.workspaceID ?? "a workspace"
            let origin = key.allowedIPs.isEmpty ? "everywhere" : key.allowedIPs.joined(separator: ", ")
            print(key.id, key.name, key.keyPrefix, "works in", place, "from", origin)
            let lastUse = key.lastUsedAt ?? key.createdAt
            let isForgotten = key.expiresAt == nil && lastUse.timeIntervalSinceNow < -90 * 86_400
            if isForgotten { print("Nobody used it for 90 days, and it never expires.") }
        }
    }

    static func example3(_ client: Mortise) async throws {
        for try await key in client.admin.apiKeys.list() {
            switch key.keyType {
            case .admin: print(key.name, "manages the organization")
            case .workspace: print(key.name, "works in", key.workspaceID ?? "a workspace")
            default: print(key.name, "is of a newer type:", key.keyType.rawValue)
            }
        }
    }

    static func example4(_ client: Mortise) async throws {
        let created = try await client.admin.apiKeys.create(name: "x", expiresInDays: 30)
        try created.key.reveal().write(toFile: "x.key", atomically: true, encoding: .utf8)
        print(created.keyDetails.id, created.keyDetails.expiresAt ?? .distantFuture)
    }

    static func example5(_ client: Mortise) async throws {
        for mode in [Boltz.Mode.live, .test] {
            let created = try await client.admin.apiKeys.create(name: "deploy \(mode.rawValue)", mode: mode)
            try created.key.reveal().write(toFile: "\(mode.rawValue).key", atomically: true, encoding: .utf8)
        }
    }
}
