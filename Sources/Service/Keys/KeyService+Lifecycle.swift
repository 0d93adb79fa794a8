public import FoundationEssentials
import JSON
public import KeyStore
public import Keys
import Postgres

extension KeyService {
    /// Changes settings.
    public func update(_ id: UUID, _ patch: KeyPatch, in home: KeyHome, by caller: Caller) async throws -> KeyRecord {
        try await self.change(id, .updated, in: home, by: caller) { key, now in
            try key.requireNotRevoked("changed")
            if case .set(let permissions) = patch.permissions {
                try caller.principal.requireNoEscalation(permissions, owner: home.keyOwner)
            }
            if case .set(let end?) = patch.expiresAt, end <= now {
                throw Refusal.invalid([InvalidField(pointer: "/expires_at", detail: "Must be in the future.")])
            }
            return key.apply(patch)
        }
    }

    /// Switches a key off until it is enabled again.
    ///
    /// A disabled key stays as it is.
    public func disable(_ id: UUID, in home: KeyHome, by caller: Caller) async throws -> KeyRecord {
        try await self.change(id, .disabled, in: home, by: caller) { key, now in
            try key.requireNotRevoked("disabled")
            if key.disabledAt != nil { return nil }
            key.disabledAt = now
            return Changes()
        }
    }

    /// Switches a key on.
    ///
    /// It does not bring back what has ended.
    public func enable(_ id: UUID, in home: KeyHome, by caller: Caller) async throws -> KeyRecord {
        try await self.change(id, .enabled, in: home, by: caller) { key, _ in
            try key.requireNotRevoked("enabled")
            if key.disabledAt == nil { return nil }
            key.disabledAt = nil
            return Changes()
        }
    }

    /// Announces a key's end, after a grace period in which it still works.
    ///
    /// Again, it can bring the end nearer and not put it off.
    public func deprecate(
        _ id: UUID,
        reason: String?,
        grace: GracePeriod,
        in home: KeyHome,
        by caller: Caller
    ) async throws -> KeyRecord {
        try await self.change(id, .deprecated, in: home, by: caller) { key, now in
            try key.requireAlive("deprecated", at: now)
            let old = key.gracePeriodEndsAt
            switch try RotationRule.endOfDeprecatedKey(key.lifecycle, grace: grace, at: now) {
            case .at(let end): key.gracePeriodEndsAt = end
            case .atOnce:
                // A change of state: no node's clock has a say in it.
                key.gracePeriodEndsAt = now
                key.endedAt = now
            }
            key.deprecatedAt = key.deprecatedAt ?? now
            key.deprecationReason = reason ?? key.deprecationReason
            var changes = Changes()
            changes.add("grace_period_ends_at", from: old.json, to: key.gracePeriodEndsAt.json)
            changes.add("reason", reason.json)
            return changes
        }
    }

    /// Ends a key for good and frees its name.
    ///
    /// A revoked key stays as it is.
    public func revoke(_ id: UUID, reason: String?, in home: KeyHome, by caller: Caller) async throws -> KeyRecord {
        try await self.change(id, .revoked, in: home, by: caller) { key, now in
            if key.revokedAt != nil { return nil }
            key.revokedAt = now
            key.revokedBy = caller.principal.actor
            key.revocationReason = reason
            var changes = Changes()
            changes.add("reason", reason.json)
            return changes
        }
    }

    /// Removes a key; its events stay.
    public func delete(_ id: UUID, in home: KeyHome, by caller: Caller) async throws {
        try await self.platform.transaction(home) { connection in
            let store = KeyStore(connection)
            let (key, now) = try await self.locked(id, home, caller, store)
            try await store.delete(id)
            var changes = Changes()
            changes.add("status", .string(key.status(at: now).rawValue))
            try await self.record(.deleted, key, home, caller, at: now, changes: changes, connection)
        }
    }

    /// Locks a key, lets `body` change it, and writes key and event; `nil` from `body` means that nothing changes.
    private func change(
        _ id: UUID,
        _ type: KeyEventType,
        in home: KeyHome,
        by caller: Caller,
        _ body: (inout KeyRecord, Timestamp) throws -> Changes?
    ) async throws -> KeyRecord {
        try await self.platform.transaction(home) { connection in
            let store = KeyStore(connection)
            var (key, now) = try await self.locked(id, home, caller, store)
            guard let changes = try body(&key, now) else { return key }
            key.updatedAt = now
            try await store.update(key, uniqueName: key.revokedAt == nil ? key.name : nil)
            try await self.record(type, key, home, caller, at: now, changes: changes, connection)
            return key
        }
    }
}

extension KeyRecord {
    /// A key as it begins.
    init(_ draft: KeyDraft, id: UUID, owner: KeyOwner, createdBy: String, at now: Timestamp) {
        self.init(
            id: id,
            kind: draft.kind,
            organizationID: owner.organizationID,
            name: draft.name,
            mode: draft.mode,
            createdBy: createdBy,
            createdAt: now
        )
        self.description = draft.description
        self.scopes = draft.scopes.map(\.text)
        self.permissions = draft.permissions.names
        self.allowedNamespaces = draft.allowedNamespaces
        self.allowedAddresses = draft.allowedAddresses.map(\.description)
        self.rateLimitPerMinute = draft.rateLimitPerMinute
        self.rateLimitPerHour = draft.rateLimitPerHour
        self.expiresAt = draft.expiresAt
        self.metadata = draft.metadata
    }

    /// Refuses to change what has ended for good.
    func requireNotRevoked(_ participle: String) throws(Refusal) {
        guard self.revokedAt == nil else { throw .conflict("The key is revoked and cannot be \(participle).") }
    }

    /// Refuses to prolong what has ended.
    func requireAlive(_ participle: String, at now: Timestamp) throws(Refusal) {
        switch self.status(at: now) {
        case .revoked: throw .conflict("The key is revoked and cannot be \(participle).")
        case .expired: throw .conflict("The key has expired and cannot be \(participle).")
        case .active, .disabled, .deprecated: break
        }
    }

    /// Applies a patch.
    ///
    /// - Returns: what really changed, or `nil` when nothing did.
    mutating func apply(_ patch: KeyPatch) -> Changes? {
        var changes = Changes()
        changes.set("name", &self.name, patch.name) { .string($0) }
        changes.set("description", &self.description, patch.description) { $0.json }
        changes.set("scopes", &self.scopes, patch.scopes.map { $0.map(\.text) }) { $0.json }
        changes.set("permissions", &self.permissions, patch.permissions.map(\.names)) { $0.json }
        changes.set("allowed_namespaces", &self.allowedNamespaces, patch.allowedNamespaces) { $0?.json ?? .null }
        changes.set("allowed_ips", &self.allowedAddresses, patch.allowedAddresses.map { $0.map(\.description) }) {
            $0.json
        }
        changes.set("rate_limit_per_minute", &self.rateLimitPerMinute, patch.rateLimitPerMinute) { $0.json }
        changes.set("rate_limit_per_hour", &self.rateLimitPerHour, patch.rateLimitPerHour) { $0.json }
        changes.set("expires_at", &self.expiresAt, patch.expiresAt) { $0.json }
        changes.set("metadata", &self.metadata, patch.metadata) { _ in .string("changed") }
        return changes.isEmpty ? nil : changes
    }
}
