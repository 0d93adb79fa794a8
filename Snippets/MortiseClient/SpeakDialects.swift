// The managers of the published clients of Fluxbase, Clerk and Boltz.
import Foundation
import MortiseClient

// MARK: Fluxbase

func createClientKey(_ client: Mortise) async throws {
    // snippet.fluxbase-client-key
    let created = try await client.management.apiKeys.create(
        name: "Production Service",
        scopes: ["read:users", "write:users"],
        rateLimitPerMinute: 100
    )
    try created.key.reveal().write(toFile: "service.key", atomically: true, encoding: .utf8)
    print(created.clientKey.id)
    // snippet.end
    let changed = try await client.management.clientKeys.update(created.apiKey.id, name: "New name")
    print(changed.name, changed.rateLimitPerMinute)
}

func listClientKeys(_ client: Mortise) async throws {
    // snippet.fluxbase-client-keys
    let manager = client.management.clientKeys
    let list = try await manager.list()
    for key in list.clientKeys where key.revokedAt == nil && key.expiresAt == nil {
        if (key.lastUsedAt ?? key.createdAt).timeIntervalSinceNow < -90 * 86_400 {
            print(key.keyPrefix, key.name, key.userID, "was not used for 90 days.")
            try await manager.revoke(key.id)
        }
    }
    // snippet.end
    let key = try await manager.get(list.apiKeys[0].id)
    print(list.total, key.description ?? "", key.scopes, key.allowedNamespaces ?? ["all"], key.updatedAt ?? .now)
    try await manager.delete(key.id)
}

func useOlderNames(_ client: Mortise) async throws {
    // snippet.fluxbase-older-names
    let manager: Fluxbase.APIKeysManager = client.management.apiKeys
    let created: Fluxbase.CreateAPIKeyResponse = try await manager.create(name: "Reports", scopes: ["read:tables"])
    let list: Fluxbase.ListAPIKeysResponse = try await manager.list()
    let key: Fluxbase.APIKey = try await manager.get(created.apiKey.id)
    print(list.apiKeys.contains(key))  // true
    // snippet.end
}

func createFluxbaseServiceKey(_ client: Mortise) async throws {
    // snippet.fluxbase-service-key
    let shop = client.forWorkspace("shop")
    let website = try await shop.admin.serviceKeys.create(name: "Website", keyType: .anon, rateLimitPerMinute: 1000)
    print(website.serviceKey.id, website.serviceKey.keyType == .service)  // … false
    // snippet.end
    let manager = shop.admin.serviceKeys
    print(try await manager.update(website.serviceKey.id, description: "The public website").description ?? "")
    try await manager.disable(website.serviceKey.id)
    try await manager.enable(website.serviceKey.id)
    print(website.serviceKey.keyType.rawValue, website.key)
}

func readServiceKeys(_ client: Mortise) async throws {
    // snippet.fluxbase-service-keys
    for key in try await client.admin.serviceKeys.list() where key.isEnabled && key.revokedAt == nil {
        print(key.name, key.keyPrefix, key.scopes, key.expiresAt ?? .distantFuture)
        if key.keyType == .anon, key.rateLimitPerMinute == nil, key.rateLimitPerHour == nil {
            print("The public key has no rate limit. It was created by", key.createdBy ?? "unknown")
        }
    }
    // snippet.end
    let key = try await client.admin.serviceKeys.get("0198c0de-0000-7000-8000-000000000001")
    print(key.description ?? "", key.allowedNamespaces ?? ["all"])
}

func rotateServiceKey(_ manager: Fluxbase.ServiceKeysManager) async throws {
    // snippet.fluxbase-rotate
    let rotated = try await manager.rotate("0198c0de-0000-7000-8000-000000000001", gracePeriodHours: 48)
    try rotated.key.reveal().write(toFile: "service.key", atomically: true, encoding: .utf8)
    print("The new key is", rotated.serviceKey.id)

    let old = try await manager.get("0198c0de-0000-7000-8000-000000000001")
    if let start = old.deprecatedAt, let end = old.gracePeriodEndsAt, let successor = old.replacedBy {
        let isInUse = (old.lastUsedAt ?? old.createdAt) > start
        print(successor, "replaces the key at", end, isInUse ? "The old key is still in use." : "")
    }
    // snippet.end
}

func endServiceKey(_ manager: Fluxbase.ServiceKeysManager, _ id: String) async throws {
    // snippet.fluxbase-revoke
    let deprecation = try await manager.deprecate(id, reason: "Rotating to new key", gracePeriodHours: 48)
    print(deprecation.deprecatedAt, deprecation.gracePeriodEndsAt)
    try await manager.revoke(id, reason: "Key was compromised")
    try await manager.delete(id)
    let history = try await manager.getRevocationHistory(id)
    if let time = history.revokedAt {
        print(history.revokedBy, "revoked", history.name, history.id, "at", time, history.revocationReason)
    }
    // snippet.end
}

// MARK: Clerk

func createForCurrentUser(_ user: Mortise) async throws {
    // snippet.clerk-create
    let key = try await user.apiKeys.create(name: "My key", secondsUntilExpiration: 86_400, description: "My laptop")
    try key.secret?.reveal().write(toFile: "my.key", atomically: true, encoding: .utf8)
    // snippet.end
    // snippet.clerk-revoke
    let revoked = try await user.apiKeys.revoke(apiKeyID: key.id, revocationReason: "lost")
    if revoked.isRevoked { print("revoked at", revoked.updatedAt, revoked.revocationReason ?? "") }
    // snippet.end
    print(revoked.isExpired, revoked.type)
}

func listForUser(_ client: Mortise) async throws {
    // snippet.clerk-list
    let user = "user_2abcdefghijklmnopqrstuvwxyz"
    let page = try await client.apiKeys.getAll(subject: user, initialPage: 1, pageSize: 20)
    print(page.data.count, "of", page.totalCount)
    for key in page.data {
        print(key.name, key.description ?? "", key.scopes, key.expiration ?? .distantFuture)
        if case .object(let claims) = key.claims { print("plan", claims["plan"] ?? "free") }
        if (key.lastUsedAt ?? key.createdAt).timeIntervalSinceNow < -90 * 86_400 {
            print(key.createdBy ?? key.subject, "did not use the key for 90 days.")
        }
    }
    // snippet.end
}

// MARK: Boltz

func createWorkspaceKey(_ client: Mortise) async throws {
    // snippet.boltz-create
    let created = try await client.admin.apiKeys.create(
        name: "deploy",
        allowedIPs: ["203.0.113.7", "2001:db8::/32"],
        expiresInDays: 90,
        mode: .test
    )
    try created.key.reveal().write(toFile: "deploy.key", atomically: true, encoding: .utf8)
    print(created.keyDetails.id, created.keyDetails.expiresAt ?? .distantFuture)
    // snippet.end
    print(Boltz.Mode.allCases.map(\.rawValue), Boltz.Mode.live)
}

func listOrganizationKeys(_ client: Mortise) async throws {
    // snippet.boltz-list
    for try await key in client.admin.apiKeys.list() where key.isActive && key.isLive {
        switch key.keyType {
        case .admin: print(key.name, "manages the organization.")
        case .workspace: print(key.name, "works in", key.workspaceID ?? "a workspace")
        default: print(key.name, "has a newer type:", key.keyType.rawValue)
        }
        print(key.keyPrefix, key.allowedIPs, key.lastUsedAt ?? key.createdAt)
    }
    // snippet.end
    // snippet.boltz-revoke
    let revoked = try await client.admin.apiKeys.revoke("api_key_0a1b2c3d0198c0de00007000800000000000000a")
    print(revoked.isActive)  // false
    // snippet.end
}
