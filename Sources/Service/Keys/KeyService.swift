public import FoundationEssentials
import JSON
public import KeyStore
public import Keys
import Postgres
import Tenancy

/// What can be done with keys.
///
/// Every change and its event are one transaction; who may come here was settled by `Access`.
public struct KeyService: Sendable {
    let platform: Platform

    init(_ platform: Platform) { self.platform = platform }

    // MARK: Reading

    /// A key.
    public func get(_ id: UUID, in home: KeyHome) async throws -> KeyRecord {
        try await platform.connection(home) { connection in
            guard let key = try await KeyStore(connection).find(id, in: home.keyOwner) else { throw Refusal.notFound }
            return key
        }
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
        let draft = try (WorkspaceKeyBounds(caller.principal)?.settle(draft) ?? draft).settled(in: home)
        try KeyRules(draft, in: home).enforce()
        let form = TokenForm(prefix: draft.tokenPrefix ?? home.tokenPrefix(draft.kind), mode: draft.mode)
        return try await platform.transaction(home) { connection in
            let store = KeyStore(connection)
            let now = try await store.now()
            let id = platform.newID(at: now)
            let attempt = try await platform.claim(caller, home, resource: id, connection)
            let caller = try await platform.access.current(caller, over: home, connection)
            try caller.principal.requireNoEscalation(draft.permissions, owner: home.keyOwner)
            if case .replay(let record) = attempt {
                return try await replay(record, draft.mode, home, caller, connection)
            }
            // Only now: a twin is answered what the first one was, though the key or the workspace may have ended meanwhile.
            try await platform.requireOpen(home, connection)
            let draft = try draft.settled(at: now)
            let token = try platform.makeToken(home, form, key: id, attempt, caller)
            let made = try await platform.plant(draft, token, id: id, in: home, by: caller, at: now, connection)
            let text = answer(made, now)
            try await platform.complete(attempt, answer: text, connection)
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
        try caller.principal.requireRotation()
        return try await platform.transaction(home) { connection in
            let store = KeyStore(connection)
            let (key, now, caller) = try await locked(id, home, caller, connection)
            let attempt = try await platform.claim(caller, home, resource: id, connection)
            let form = key.tokenForm(in: home)
            if case .replay(let record) = attempt {
                return try await replay(record, form.mode, home, caller, connection)
            }
            try await platform.requireOpen(home, connection)
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
            let token = try platform.makeToken(home, form, key: id, attempt, caller)
            try await add(token, to: id, in: home, store, at: now)
            var rotated = key
            rotated.updatedAt = now
            try await store.update(rotated)
            var changes = Changes()
            changes.add("prefix", from: .string(key.prefix), to: .string(token.parsed.displayPrefix.text))
            changes.add("grace_period_seconds", .integer(Int64(grace.seconds)))
            try await self.record(.rotated, key, home, caller, at: now, changes: changes, connection)
            guard let made = try await store.find(id, in: home.keyOwner) else { throw Refusal.notFound }
            let text = answer(made, now)
            try await platform.complete(attempt, answer: text, connection)
            return IssuedKey(answer: text, token: token, isReplay: false)
        }
    }

    /// Stores what is kept of a token.
    func add(_ token: Token, to key: UUID, in home: KeyHome, _ store: KeyStore, at now: Timestamp) async throws {
        let stored = platform.secrets.peppers.digest(of: token)
        try await store.insert(
            NewSecret(
                id: platform.newID(at: now),
                digest: stored.digest,
                pepperID: stored.pepperID.text,
                prefix: token.parsed.displayPrefix.text,
                createdAt: now
            ),
            key: key,
            in: home.keyOwner
        )
    }

    /// Answers a twin: the token is derived again, and must be the one that was stored.
    func replay(
        _ record: IdempotencyRecord,
        _ mode: KeyMode,
        _ home: KeyHome,
        _ caller: Caller,
        _ connection: PostgresConnection
    ) async throws -> IssuedKey {
        let store = KeyStore(connection)
        // What tokens begin with here may have been changed since; the ones that were made have not.
        let prefixes = try await store.find(record.resourceID, in: home.keyOwner)?.tokenPrefixes ?? []
        for prefix in prefixes {
            let token = try platform.derivedToken(
                home,
                TokenForm(prefix: prefix, mode: mode),
                record,
                caller
            )
            for stored in platform.secrets.peppers.digests(of: token) {
                guard try await store.hasSecret(stored.digest, key: record.resourceID, in: home.keyOwner) else {
                    continue
                }
                guard let answer = record.answer else { break }
                return IssuedKey(answer: answer, token: token, isReplay: true)
            }
        }
        throw Refusal.conflict("What this Idempotency-Key made has been deleted since.")
    }

    /// A key, locked, and the time and the caller after the lock was had.
    ///
    /// A caller without the key's own permissions cannot come by it.
    func locked(
        _ id: UUID,
        _ home: KeyHome,
        _ caller: Caller,
        _ connection: PostgresConnection
    ) async throws -> (KeyRecord, Timestamp, Caller) {
        let store = KeyStore(connection)
        guard let key = try await store.lock(id, in: home.keyOwner) else { throw Refusal.notFound }
        let caller = try await platform.access.current(caller, over: home, connection)
        try caller.principal.requireNoEscalation(
            PermissionSet(names: key.permissions) ?? .organization,
            owner: home.keyOwner
        )
        return (key, try await store.now(), caller)
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
                    id: platform.newID(at: now),
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
