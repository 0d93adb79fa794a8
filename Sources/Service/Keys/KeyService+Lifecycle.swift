public import FoundationEssentials
import JSON
public import KeyStore
public import Keys
import Postgres

extension KeyService {
    /// Changes settings.
    ///
    /// A key that is switched on or off by it has an event of that beside the one of the change.
    public func update(_ id: UUID, _ patch: KeyPatch, in home: KeyHome, by caller: Caller) async throws -> KeyRecord {
        try KeyRules(patch, in: home).enforce()
        if case .set(let subject) = patch.subject { try home.requireSubject(subject) }
        return try await change(id, in: home, by: caller) { key, now, principal in
            try key.requireNotRevoked("changed")
            if case .set(let permissions) = patch.permissions {
                try principal.requireNoEscalation(permissions, owner: home.keyOwner)
            }
            var patch = patch
            if let lifetime = patch.lifetime { patch.expiresAt = .set(now + lifetime) }
            if case .set(let end?) = patch.expiresAt { try end.requireFuture(now) }
            var events: [(KeyEventType, Changes)] = []
            if let changes = key.apply(patch) { events.append((.updated, changes)) }
            try WorkspaceKeyBounds(principal)?.check(key)
            if case .set(let isEnabled) = patch.isEnabled, isEnabled != (key.disabledAt == nil) {
                key.disabledAt = isEnabled ? nil : now
                events.append((isEnabled ? .enabled : .disabled, Changes()))
            }
            return events
        }
    }

    /// Switches a key off until it is enabled again.
    ///
    /// A disabled key stays as it is.
    public func disable(_ id: UUID, in home: KeyHome, by caller: Caller) async throws -> KeyRecord {
        try await change(id, in: home, by: caller) { key, now, _ in
            try key.requireNotRevoked("disabled")
            if key.disabledAt != nil { return [] }
            key.disabledAt = now
            return [(.disabled, Changes())]
        }
    }

    /// Switches a key on.
    ///
    /// It does not bring back what has ended.
    public func enable(_ id: UUID, in home: KeyHome, by caller: Caller) async throws -> KeyRecord {
        try await change(id, in: home, by: caller) { key, _, _ in
            try key.requireNotRevoked("enabled")
            if key.disabledAt == nil { return [] }
            key.disabledAt = nil
            return [(.enabled, Changes())]
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
        try KeyRules.enforce(reason: reason)
        return try await change(id, in: home, by: caller) { key, now, _ in
            try key.requireAlive("deprecated", at: now)
            return [(.deprecated, try key.deprecate(reason: reason, grace: grace, at: now))]
        }
    }

    /// Ends a key for good; it frees its name, unless it is a client key.
    ///
    /// A revoked key stays as it is.
    public func revoke(_ id: UUID, reason: String?, in home: KeyHome, by caller: Caller) async throws -> KeyRecord {
        try KeyRules.enforce(reason: reason)
        return try await change(id, in: home, by: caller) { key, now, principal in
            if key.revokedAt != nil { return [] }
            key.revokedAt = now
            if key.kind != .client { key.uniqueName = nil }
            key.revokedBy = principal.actor
            key.revocationReason = reason
            var changes = Changes()
            changes.add("reason", reason.json)
            return [(.revoked, changes)]
        }
    }

    /// Removes a key; its events stay.
    public func delete(_ id: UUID, in home: KeyHome, by caller: Caller) async throws {
        try await platform.transaction(home) { connection in
            let store = KeyStore(connection)
            let (key, now, caller) = try await locked(id, home, caller, connection)
            try await store.delete(id, in: home.keyOwner)
            var changes = Changes()
            changes.add("status", .string(key.status(at: now).rawValue))
            // Whose it was, so that its history stays theirs.
            changes.add("kind", .string(key.kind.rawValue))
            changes.add("subject", key.subject.json)
            try await record(.deleted, key, home, caller, at: now, changes: changes, connection)
        }
    }

    /// Locks a key, lets `body` change it, and writes key and events; none from `body` means that nothing changes.
    private func change(
        _ id: UUID,
        in home: KeyHome,
        by caller: Caller,
        _ body: (inout KeyRecord, Timestamp, Principal) throws -> [(KeyEventType, Changes)]
    ) async throws -> KeyRecord {
        try await platform.transaction(home) { connection in
            let store = KeyStore(connection)
            var (key, now, caller) = try await locked(id, home, caller, connection)
            let events = try body(&key, now, caller.principal)
            guard !events.isEmpty else { return key }
            key.updatedAt = now
            try await store.update(key)
            for (type, changes) in events {
                try await record(type, key, home, caller, at: now, changes: changes, connection)
            }
            return key
        }
    }
}
