public import FoundationEssentials
import KeyStore
public import Keys

/// One change of keys in its open transaction, after the locks were taken and the caller was authorized.
///
/// Only ``KeyChanges`` creates one. Every method that writes a key asks the caller's ``Authority`` first.
struct KeyChange {
    /// The keys that the change is about.
    let keys: KeyCollection
    /// The caller with its permissions at this moment.
    let caller: Caller
    /// The id for a key that the change creates.
    let newID: UUID
    let claim: IdempotencyClaim

    private let writer: KeyWriter
    private let idempotency: Idempotency

    init(
        keys: KeyCollection,
        caller: Caller,
        newID: UUID,
        claim: IdempotencyClaim,
        writer: KeyWriter,
        idempotency: Idempotency
    ) {
        self.keys = keys
        self.caller = caller
        self.newID = newID
        self.claim = claim
        self.writer = writer
        self.idempotency = idempotency
    }

    /// The database's time after the locks were taken.
    var now: Timestamp { writer.now }
    /// The open transaction.
    var transaction: AuditedTransaction { writer.transaction }
    /// The attribution of the events.
    var attribution: Attribution { writer.attribution }
    /// The keys as the transaction sees them.
    var store: KeyStore { writer.store }

    /// Returns the caller's authority over the keys of an owner; by default the collection's.
    func authority(over owner: KeyOwner? = nil) -> Authority {
        Authority(caller.principal, over: keys, owner: owner)
    }

    /// Returns the state of the keys' workspace, locked until the transaction ends.
    func lockWorkspaceState() async throws -> String? { try await writer.lockWorkspaceState() }

    // MARK: Tokens

    /// Returns a new token for a key.
    func token(_ form: TokenForm, for key: UUID) throws -> Token {
        try idempotency.token(form, for: key, workspace: keys.ref, claim, caller)
    }

    /// Returns what is stored of a token.
    private func secret(of token: Token) -> NewSecret { idempotency.context.secret(of: token, at: now) }

    // MARK: Writing

    /// Creates a key.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - token: The key's token.
    ///   - owner: The owner; by default the collection's.
    ///   - details: The details of the event.
    /// - Returns: The key as it was stored.
    /// - Throws: `Refusal` if the caller cannot create such a key or the owner has reached its quota, `uniqueViolation` if
    ///   the name is taken, and the database's errors.
    func create(_ key: KeyRecord, _ token: Token, owner: KeyOwner? = nil, _ details: EventChanges) async throws
        -> KeyRecord
    {
        let owner = owner ?? keys.keyOwner
        let authority = authority(over: owner)
        try authority.requireCreation(of: key)
        try await requireRoom(for: key, of: owner)
        return try await writer.create(authority.holding(key, after: nil), secret(of: token), in: owner, details)
    }

    /// Throws if the owner of a new key has reached its quota.
    private func requireRoom(for key: KeyRecord, of owner: KeyOwner) async throws {
        let quotas = idempotency.context.quotas
        switch owner {
        case .platform: return
        case .organization(let id):
            let limit = quotas.adminKeysPerOrganization
            guard try await writer.hasRoom(forAdminKeysOf: id, limit) else {
                throw Refusal.quotaReached(
                    "The organization has \(limit) admin keys, its maximum. Delete some of them."
                )
            }
        case .workspace, .clients:
            if let subject = key.subject { try await requireRoom(forSubject: subject) }
            let limit = quotas.keysPerWorkspace
            guard try await writer.workspaceHasRoom(limit) else {
                throw Refusal.quotaReached("The workspace has \(limit) keys, its maximum. Delete some of them.")
            }
        }
    }

    /// Throws if a subject has as many keys as its quota allows.
    private func requireRoom(forSubject subject: String) async throws {
        let limit = idempotency.context.quotas.keysPerSubject
        guard try await writer.hasRoom(forSubject: subject, limit) else {
            throw Refusal.quotaReached("The subject has \(limit) keys, its maximum. Delete some of them.")
        }
    }

    /// Writes the settings and the state of a key.
    ///
    /// - Parameters:
    ///   - old: The key before the change.
    ///   - new: The key after the change.
    ///   - events: The events of the change, at least one.
    /// - Returns: The key as it was stored.
    /// - Throws: `Refusal` if the caller cannot make this change, and the database's errors.
    func update(
        from old: KeyRecord,
        to new: KeyRecord,
        _ events: [(type: EventType, changes: EventChanges)]
    ) async throws -> KeyRecord {
        let key = try await admitting(new, after: old)
        try await writer.update(key, events)
        return key
    }

    /// Returns a changed key as it is to be written.
    ///
    /// - Throws: As ``update(from:to:_:)`` does.
    func admitting(_ new: KeyRecord, after old: KeyRecord) async throws -> KeyRecord {
        try authority().requireChange(from: old, to: new)
        try await requireAnotherOperator(besides: old, becoming: new)
        if let subject = new.subject, subject != old.subject { try await requireRoom(forSubject: subject) }
        var key = new
        key.updatedAt = now
        key.readAt = max(key.readAt, now)
        return key
    }

    /// Writes that several keys are stopped, which ``admitting(_:after:)`` returned.
    func stop(_ stopped: [KeyWriter.Stopped]) async throws { try await writer.stop(stopped) }

    /// Gives a key another secret and ends older ones.
    ///
    /// - Throws: `Refusal` if the caller cannot rotate the key, and the database's errors.
    func rotate(
        _ key: KeyRecord,
        to token: Token,
        ending ends: [(secretID: UUID, end: GraceEnd)],
        _ details: EventChanges
    ) async throws -> KeyRecord {
        try authority().requireRotation(of: key, to: key)
        var rotated = key
        rotated.updatedAt = now
        return try await writer.rotate(rotated, to: secret(of: token), ending: ends, details)
    }

    /// Creates a key that takes the place of another key, which gets an end.
    ///
    /// - Parameters:
    ///   - old: The old key before the change.
    ///   - deprecated: The old key after the change.
    ///   - new: The new key.
    ///   - token: The new key's token.
    ///   - details: The details of the two events.
    /// - Returns: The new and the old key as they were stored.
    /// - Throws: `Refusal` if the caller cannot replace the key or the owner has reached its quota, and the database's
    ///   errors.
    func replace(
        _ old: KeyRecord,
        _ deprecated: KeyRecord,
        by new: KeyRecord,
        _ token: Token,
        _ details: (old: EventChanges, new: EventChanges)
    ) async throws -> (new: KeyRecord, old: KeyRecord) {
        let authority = authority()
        try authority.requireRotation(of: old, to: new)
        try await requireRoom(for: new, of: keys.keyOwner)
        var deprecated = deprecated
        deprecated.updatedAt = now
        deprecated.readAt = max(deprecated.readAt, now)
        // The old key comes first, because it can hold the name.
        try await writer.update(deprecated, [(.rotated, details.old)])
        let created = try await writer.create(authority.holding(new, after: old), secret(of: token), details.new)
        return (created, deprecated)
    }

    /// Returns the details of the event of a deletion, which is all that stays of the key.
    private func deletion(of key: KeyRecord) -> EventChanges {
        var details = EventChanges()
        details.add("status", key.status(at: now).rawValue)
        // The kind and the subject, so that the history still belongs to the same collection.
        details.add("kind", key.kind.rawValue)
        details.add("subject", key.subject)
        return details
    }

    /// Deletes a key.
    ///
    /// - Throws: `Refusal` if the caller cannot delete the key, and the database's errors.
    func delete(_ key: KeyRecord) async throws {
        try authority().requireDeletion(of: key)
        try await requireAnotherOperator(besides: key, becoming: nil)
        try await writer.delete(key, deletion(of: key))
    }
}

/// A key that was created or rotated: the answer, and the token, which no other answer contains.
public struct IssuedKey: Sendable {
    /// The answer as JSON text, as the surface rendered it for the first request with the same `Idempotency-Key`.
    public let answer: String
    /// The token.
    public let token: Token
    /// True if an earlier request with the same `Idempotency-Key` issued the token.
    public let isReplay: Bool
    /// The key.
    public let keyID: UUID
}
