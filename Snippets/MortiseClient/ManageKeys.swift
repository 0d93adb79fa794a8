// Keys: create, read, change, rotate and end them.
import Foundation
import MortiseClient

// MARK: Creating

func createServiceKey(_ client: Mortise) async throws {
    // snippet.create
    var draft = Mortise.KeyDraft(name: "CI", scopes: ["read:orders"])
    draft.description = "The nightly build"
    draft.mode = .test
    draft.allowedAddresses = ["203.0.113.7", "2001:db8::/32"]
    draft.allowedNamespaces = ["eu"]
    draft.rateLimitPerHour = 5000
    draft.expiresAt = Date(timeIntervalSinceNow: 90 * 86_400)
    draft.metadata = ["team": "platform", "seats": 5]
    let issued = try await client.keys(.service(workspace: "shop")).create(draft)
    try issued.token.reveal().write(toFile: "ci.key", atomically: true, encoding: .utf8)
    // snippet.end
    print(issued.key.id, draft.name, draft.scopes, draft.mode?.rawValue ?? "", draft.type ?? "service")
}

func createOtherKeys(_ client: Mortise) async throws {
    // snippet.collections
    let phone = Mortise.KeyDraft(name: "phone", subject: "user_42", rateLimitPerMinute: 60)
    _ = try await client.keys(.client(workspace: "shop")).create(phone)

    let website = Mortise.KeyDraft(name: "website", type: "anon", scopes: ["read:*"])
    _ = try await client.keys(.service(workspace: "shop")).create(website)

    let robot = Mortise.KeyDraft(name: "robot", permissions: ["keys:read", "keys:write"])
    _ = try await client.keys(.admin(organization: "acme")).create(robot)
    // snippet.end
    print(phone.subject ?? "", phone.rateLimitPerMinute ?? 0, website.type ?? "service", robot.permissions)
}

// snippet.collection
/// Returns the owner of a collection of keys, as a person would name it.
func owner(of collection: KeyCollection) -> String {
    switch collection {
    case .service(let workspace): "the services of \(workspace)"
    case .client(let workspace): "the users of \(workspace)"
    case .admin(let organization): "the administrators of \(organization)"
    case .operator: "the operators of the platform"
    }
}
// snippet.end

// MARK: Reading

func listKeys(_ client: Mortise) async throws {
    // snippet.list
    for try await key in client.keys(.service(workspace: "shop")).list(status: .active) where key.expiresAt == nil {
        print(key.name, key.prefix, "never expires.")
    }
    // snippet.end
    // snippet.sort
    let keys = client.keys(.service(workspace: "shop"))
    let unused = keys.list(unusedSince: Date(timeIntervalSinceNow: -90 * 86_400), sort: .leastRecentlyUsed)
    for try await key in unused { print(key.name, key.lastUsedAt?.description ?? "was never used") }
    for try await key in keys.list(expiresBefore: Date(timeIntervalSinceNow: 7 * 86_400), sort: .endingFirst) {
        print(key.name, "ends within a week.")
    }
    // snippet.end
}

func readPages(_ client: Mortise) async throws {
    // snippet.pages
    let workspaces = try await client.workspaces.list().all()
    let newest = try await client.keys(.service(workspace: "shop")).list(limit: 5).firstPage()
    print(workspaces.count, newest.items.map(\.name), newest.next == nil ? "That is all." : "There are more.")
    // snippet.end
}

func readKey(_ key: Mortise.Key) {
    // snippet.restrictions
    print(key.type ?? "no type", key.subject ?? "no subject", key.mode.rawValue, key.workspaceID ?? "no workspace")
    print("scopes", key.scopes, "permissions", key.permissions)
    print("addresses", key.allowedAddresses.isEmpty ? ["all"] : key.allowedAddresses)
    print("namespaces", key.allowedNamespaces ?? ["all"])
    if key.rateLimitPerMinute == nil, key.rateLimitPerHour == nil { print("no rate limit") }
    // snippet.end
    print(key.id, key.description ?? "", key.createdBy, key.createdAt, key.updatedAt, key.metadata["team"] ?? "none")
}

func readStatus(_ key: Mortise.Key) {
    // snippet.status
    switch key.status {
    case .active: print("The key works.")
    case .deprecated: print("The key works until", key.gracePeriodEndsAt ?? .distantFuture)
    case .disabled: print("The key works again after it is enabled.")
    case .expired, .revoked: print("The key never works again.")
    default: print("The key has a newer status:", key.status.rawValue)
    }
    // snippet.end
    // snippet.history
    if let time = key.revokedAt {
        print(key.revokedBy ?? "unknown", "revoked the key at", time, key.revocationReason ?? "")
    } else if let time = key.deprecatedAt, let end = key.gracePeriodEndsAt {
        print("deprecated at", time, key.deprecationReason ?? "", "ends at", end, key.replacedBy ?? "")
    }
    // snippet.end
}

// snippet.json
/// Returns a text for a value of a key's metadata.
func text(of content: JSONContent) -> String {
    switch content {
    case .null: "nothing"
    case .bool(let isTrue): isTrue ? "yes" : "no"
    case .integer(let number): "\(number)"
    case .number(let number): "\(number)"
    case .string(let text): text
    case .array(let elements): elements.map(text).joined(separator: ", ")
    case .object(let members): members.keys.sorted().joined(separator: ", ")
    }
}
// snippet.end

// MARK: Changing

func update(_ keys: Mortise.Keys) async throws {
    // snippet.update
    var changes = Mortise.KeyChanges()
    changes.name = "CI of the shop"
    changes.scopes = .set(["read:orders", "read:items"])
    changes.rateLimitPerMinute = .set(600)
    changes.expiresAt = .clear
    let key = try await keys.update("0198c0de-0000-7000-8000-000000000001", changes)
    print(key.updatedAt)
    // snippet.end
}

func updateEverything() -> Mortise.KeyChanges {
    var changes = Mortise.KeyChanges()
    changes.description = .clear
    changes.permissions = .set(["keys:read", "events:read"])
    changes.allowedAddresses = .set(["192.0.2.0/24"])
    changes.allowedNamespaces = .clear
    changes.rateLimitPerHour = .clear
    changes.metadata = .set(["team": "platform"])
    print(changes.name ?? "", changes.scopes == .keep, changes.rateLimitPerMinute == .keep, changes.expiresAt == .keep)
    return changes
}

func switchOff(_ keys: Mortise.Keys) async throws {
    // snippet.disable
    let disabled = try await keys.disable("0198c0de-0000-7000-8000-000000000001")
    print(disabled.status == .disabled)  // true
    let enabled = try await keys.enable(disabled.id)
    print(enabled.status == .active)  // true, unless the key expired meanwhile
    // snippet.end
}

// MARK: Rotating

func rotate(_ keys: Mortise.Keys) async throws {
    // snippet.rotate
    let rotated = try await keys.rotate("0198c0de-0000-7000-8000-000000000001", gracePeriod: .seconds(7 * 86_400))
    try rotated.token.reveal().write(toFile: "ci.key", atomically: true, encoding: .utf8)
    // snippet.end
    // snippet.secrets
    for secret in rotated.key.secrets {
        guard let end = secret.endsAt else { continue }
        print("The token", secret.prefix, "of", secret.createdAt, "ends at", end)
        if let lastUse = secret.lastUsedAt { print("Its last use was at", lastUse) }
    }
    // snippet.end
    // snippet.finish-rotation
    // Another rotation ends every older token at once. A grace period of zero ends the current one, too.
    let last = try await keys.rotate(rotated.key.id, gracePeriod: .zero)
    print(last.key.secrets.count)  // 1
    // snippet.end
}

func deprecate(_ keys: Mortise.Keys) async throws {
    // snippet.deprecate
    let key = try await keys.deprecate(
        "0198c0de-0000-7000-8000-000000000001",
        reason: "replaced by CI2",
        gracePeriod: .seconds(7 * 86_400)
    )
    print(key.gracePeriodEndsAt ?? key.updatedAt)
    // snippet.end
}

func end(_ keys: Mortise.Keys) async throws {
    // snippet.revoke
    let key = try await keys.revoke("0198c0de-0000-7000-8000-000000000001", reason: "leaked")
    print(key.status == .revoked)  // true
    // The key disappears from lists. Its events stay.
    try await keys.delete(key.id)
    for try await event in keys.events(key.id) { print(event.occurredAt, event.type, event.actor) }
    // snippet.end
}

func readUsage(_ keys: Mortise.Keys) async throws {
    // snippet.usage
    let query = UsageQuery(since: Date(timeIntervalSinceNow: -7 * 86_400), step: .day, grouping: .code)
    for try await row in keys.usage("0198c0de-0000-7000-8000-000000000001", query) {
        print(row.start, row.code ?? "", row.count)
    }
    // snippet.end
}
