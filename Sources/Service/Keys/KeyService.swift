public import FoundationEssentials
import JSON
public import KeyStore
public import Keys
import Postgres
public import Tenancy

/// What can be done with keys.
///
/// Every change and its event are one transaction; who may come here was settled by `Access`.
public struct KeyService: Sendable {
    let platform: Platform

    init(_ platform: Platform) { self.platform = platform }

    // MARK: Reading

    /// A key.
    public func get(_ id: UUID, in home: KeyHome) async throws -> KeyRecord {
        try await self.platform.connection(home) { connection in
            guard let key = try await KeyStore(connection).find(id, in: home.keyOwner) else { throw Refusal.notFound }
            return key
        }
    }

    /// One page of keys, newest first.
    public func list(_ filter: KeyFilter, _ page: PageRequest, in home: KeyHome) async throws -> Page<KeyRecord> {
        try await self.platform.connection(home) { connection in
            let cursor: KeyCursor? =
                if case .after(let cursor) = page.position {
                    KeyCursor(createdAt: cursor.createdAt, id: cursor.id)
                } else { nil }
            let keys = try await KeyStore(connection)
                .list(
                    in: home.keyOwner,
                    filter,
                    after: cursor,
                    limit: page.limit + 1
                )
            return Page(keys, of: page) { PageCursor(createdAt: $0.createdAt, id: $0.id) }
        }
    }

    /// One page of events of a key, which may be gone, or of all keys here; newest first.
    ///
    /// - Throws: `Refusal.notFound` for a key that never was here: every key has at least the event of its creation.
    public func events(_ filter: EventFilter, _ page: PageRequest, in home: KeyHome) async throws -> Page<EventRecord> {
        var filter = filter
        filter.organizationID = home.organizationID
        if case .platform = home.owner { filter.isPlatformOnly = true }
        let cursor: UUID? = if case .after(let cursor) = page.position { cursor.id } else { nil }
        let events = try await self.platform.connection(home) { [filter] connection in
            let store = EventStore(connection)
            let events = try await store.list(filter, after: cursor, limit: page.limit + 1)
            if events.isEmpty, let key = filter.keyID {
                var ofKey = EventFilter(keyID: key)
                ofKey.organizationID = filter.organizationID
                ofKey.isPlatformOnly = filter.isPlatformOnly
                guard try await !store.list(ofKey, after: nil, limit: 1).isEmpty else { throw Refusal.notFound }
            }
            return events
        }
        return Page(events, of: page) { PageCursor(createdAt: $0.occurredAt, id: $0.id) }
    }

    // MARK: Making

    /// Makes a key.
    ///
    /// - Parameters:
    ///   - draft: its settings.
    ///   - home: where.
    ///   - caller: who asks; with an `Idempotency-Key` a twin of this request gets the same answer and the same token.
    ///   - answer: renders the key as JSON text, without a token: what a twin is answered.
    /// - Returns: the answer and the token.
    /// - Throws: `Refusal`, or the database's errors.
    public func create(
        _ draft: KeyDraft,
        in home: KeyHome,
        by caller: Caller,
        answer: @Sendable (KeyRecord, Timestamp) -> String
    ) async throws -> IssuedKey {
        try home.requireOpen()
        try caller.principal.requireNoEscalation(draft.permissions, owner: home.keyOwner)
        return try await self.platform.transaction(home) { connection in
            let store = KeyStore(connection)
            try await self.platform.requireOpen(home, connection)
            let now = try await store.now()
            if let end = draft.expiresAt, end <= now {
                throw Refusal.invalid([InvalidField(pointer: "/expires_at", detail: "Must be in the future.")])
            }
            let id = self.platform.newID(at: now)
            let attempt = try await self.platform.claim(caller, home, resource: id, connection)
            if case .replay(let record) = attempt {
                return try await self.replay(record, draft.kind, draft.mode, home, caller, connection)
            }
            let token = try self.platform.makeToken(home, draft.kind, draft.mode, key: id, attempt, caller)
            let made = try await self.platform.plant(draft, token, id: id, in: home, by: caller, at: now, connection)
            let text = answer(made, now)
            try await self.platform.complete(attempt, answer: text, connection)
            return IssuedKey(answer: text, token: token, isReplay: false)
        }
    }

    /// Gives a key a new secret; the old one works until the grace period ends, and any older one ends at once.
    ///
    /// The key keeps its id, its settings and its end. Double clicks are harmless: each rotation is whole, and revoke beats it.
    public func rotate(
        _ id: UUID,
        grace: GracePeriod,
        in home: KeyHome,
        by caller: Caller,
        answer: @Sendable (KeyRecord, Timestamp) -> String
    ) async throws -> IssuedKey {
        try home.requireOpen()
        return try await self.platform.transaction(home) { connection in
            let store = KeyStore(connection)
            try await self.platform.requireOpen(home, connection)
            let (key, now) = try await self.locked(id, home, caller, store)
            let attempt = try await self.platform.claim(caller, home, resource: id, connection)
            if case .replay(let record) = attempt {
                return try await self.replay(record, key.kind, key.mode, home, caller, connection)
            }
            try key.requireAlive("rotated", at: now)
            for (index, secret) in key.secrets.enumerated() {
                // The newest one gets the grace; what is older has had its own.
                let lifetime = SecretLifetime(endsAt: secret.endsAt)
                let end =
                    index == 0
                    ? try RotationRule.endOfReplacedSecret(lifetime, of: key.lifecycle, grace: grace, at: now)
                    : .atOnce
                try await store.end(secret.id, end, now: now)
            }
            let token = try self.platform.makeToken(home, key.kind, key.mode, key: id, attempt, caller)
            try await self.add(token, to: id, store, at: now)
            var rotated = key
            rotated.updatedAt = now
            try await store.update(rotated, uniqueName: key.name)
            var changes = Changes()
            changes.add("prefix", from: .string(key.prefix), to: .string(token.parsed.displayPrefix.text))
            changes.add("grace_period_seconds", .integer(Int64(grace.seconds)))
            try await self.record(.rotated, key, home, caller, at: now, changes: changes, connection)
            guard let made = try await store.find(id, in: home.keyOwner) else { throw Refusal.notFound }
            let text = answer(made, now)
            try await self.platform.complete(attempt, answer: text, connection)
            return IssuedKey(answer: text, token: token, isReplay: false)
        }
    }

    /// Stores what is kept of a token.
    func add(_ token: Token, to key: UUID, _ store: KeyStore, at now: Timestamp) async throws {
        let stored = self.platform.secrets.peppers.digest(of: token)
        try await store.insert(
            NewSecret(
                id: self.platform.newID(at: now),
                digest: stored.digest,
                pepperID: stored.pepperID.text,
                prefix: token.parsed.displayPrefix.text,
                createdAt: now
            ),
            key: key
        )
    }

    /// Answers a twin: the token is derived again, and must be the one that was stored.
    private func replay(
        _ record: IdempotencyRecord,
        _ kind: KeyKind,
        _ mode: KeyMode,
        _ home: KeyHome,
        _ caller: Caller,
        _ connection: PostgresConnection
    ) async throws -> IssuedKey {
        let token = try self.platform.derivedToken(home, kind, mode, record, caller)
        for stored in self.platform.secrets.peppers.digests(of: token) {
            guard try await KeyStore(connection).hasSecret(stored.digest, key: record.resourceID) else { continue }
            guard let answer = record.answer else { break }
            return IssuedKey(answer: answer, token: token, isReplay: true)
        }
        throw Refusal.conflict("What this Idempotency-Key made has been deleted since.")
    }

    /// A key, locked, and the time after the lock was had.
    ///
    /// A caller without the key's own permissions cannot come by it.
    func locked(
        _ id: UUID,
        _ home: KeyHome,
        _ caller: Caller,
        _ store: KeyStore
    ) async throws -> (KeyRecord, Timestamp) {
        guard let key = try await store.lock(id, in: home.keyOwner) else { throw Refusal.notFound }
        try caller.principal.requireNoEscalation(
            PermissionSet(names: key.permissions) ?? .organization,
            owner: home.keyOwner
        )
        return (key, try await store.now())
    }

    /// Adds the event of a change.
    func record(
        _ type: KeyEventType,
        _ key: KeyRecord,
        _ home: KeyHome,
        _ caller: Caller,
        at now: Timestamp,
        changes: Changes,
        _ connection: PostgresConnection
    ) async throws {
        try await EventStore(connection)
            .add(
                EventRecord(
                    id: self.platform.newID(at: now),
                    workspaceID: home.workspaceID,
                    organizationID: home.organizationID,
                    keyID: key.id,
                    keyName: key.name,
                    type: type.rawValue,
                    actor: caller.principal.actor,
                    address: caller.address,
                    requestID: caller.requestID,
                    occurredAt: now,
                    changes: changes.text
                )
            )
    }
}

/// A key that was made or rotated: what to answer, and the token, which is in no other answer ever again.
public struct IssuedKey: Sendable {
    /// The key as JSON text, as the surface rendered it, now or for the first of the twins.
    public let answer: String
    /// The token.
    public let token: Token
    /// Whether an earlier request with the same `Idempotency-Key` made it.
    public let isReplay: Bool
}

/// What can happen to a key, as events name it.
public enum KeyEventType: String, Sendable, CaseIterable {
    /// Made.
    case created
    /// Settings changed.
    case updated
    /// Switched off.
    case disabled
    /// Switched on.
    case enabled
    /// Its end announced.
    case deprecated
    /// A new secret.
    case rotated
    /// Ended for good.
    case revoked
    /// Removed.
    case deleted
}
