public import FoundationEssentials
import JSON
public import KeyStore
public import Keys
import Postgres

/// How a key is rotated by putting another key in its place.
public struct KeyReplacement: Sendable {
    /// How long the old key still works.
    public var grace: GracePeriod = .default
    /// What the new key is called; `nil` keeps the name.
    public var name: String?
    /// What the new key may do; `nil` keeps the scopes.
    public var scopes: [Scope]?

    /// Keeps everything, and lets the old key work for a day.
    public init() {}
}

extension KeyService {
    /// Makes a new key with the settings of an old one, whose end it announces.
    ///
    /// This is rotation as a dialect has it whose keys have one secret for life. The new key takes over the name, and with it that the name
    /// is the only one of its kind; under a name of its own it must be free. The old key ends no later than before. A key that was replaced
    /// can be replaced again, which gives one more key; a revoked or expired one cannot. What is switched off stays so.
    ///
    /// - Parameters:
    ///   - id: the old key.
    ///   - replacement: what is to differ.
    ///   - home: where both live.
    ///   - caller: who asks; with an `Idempotency-Key` a twin of this request gets the same answer and the same token.
    ///   - answer: renders the new and the old key as JSON text, without a token: what a twin is answered.
    /// - Returns: the answer and the new key's token.
    /// - Throws: `Refusal`, or the database's errors.
    public func replace(
        _ id: UUID,
        _ replacement: KeyReplacement,
        in home: KeyHome,
        by caller: Caller,
        answer: @Sendable (_ new: KeyRecord, _ old: KeyRecord, _ now: Timestamp) -> String
    ) async throws -> IssuedKey {
        try caller.principal.requireRotation()
        try KeyRules(replacement).enforce()
        return try await platform.transaction(home) { connection in
            let store = KeyStore(connection)
            var (old, now, caller) = try await locked(id, home, caller, connection)
            let newID = platform.newID(at: now)
            let attempt = try await platform.claim(caller, home, resource: newID, connection)
            let form = old.tokenForm(in: home)
            if case .replay(let record) = attempt {
                return try await replay(record, form.mode, home, caller, connection)
            }
            try await platform.requireOpen(home, connection)
            try old.requireAlive("rotated", at: now)
            let new = KeyRecord(replacing: &old, replacement, id: newID, in: home, by: caller, at: now)
            var changes = try old.deprecate(reason: nil, grace: replacement.grace, at: now)
            old.replacedBy = newID
            old.updatedAt = now
            changes.add("replaced_by", .string(UUIDv7.text(of: newID)))
            // First the old key, which may hold the name.
            try await store.update(old)
            try await store.insert(new)
            let token = try platform.makeToken(home, form, key: newID, attempt, caller)
            try await add(token, to: newID, in: home, store, at: now)
            try await self.record(.rotated, old, home, caller, at: now, changes: changes, connection)
            let birth = Changes(created: new, replacing: id)
            try await self.record(.created, new, home, caller, at: now, changes: birth, connection)
            guard let made = try await store.find(newID, in: home.keyOwner) else { throw Refusal.notFound }
            let text = answer(made, old, now)
            try await platform.complete(attempt, answer: text, connection)
            return IssuedKey(answer: text, token: token, isReplay: false)
        }
    }
}

extension KeyRecord {
    /// A key with the settings of an old one, which hands its name over.
    fileprivate init(
        replacing old: inout KeyRecord,
        _ replacement: KeyReplacement,
        id: UUID,
        in home: KeyHome,
        by caller: Caller,
        at now: Timestamp
    ) {
        self.init(
            id: id,
            kind: old.kind,
            organizationID: old.organizationID,
            name: old.name,
            mode: old.mode,
            createdBy: caller.principal.actor,
            createdAt: now
        )
        if let name = replacement.name, name != old.name {
            self.name = name
            uniqueName = home.uniqueness == .unique || old.uniqueName != nil ? name : nil
        } else {
            uniqueName = old.uniqueName
            old.uniqueName = nil
        }
        subject = old.subject
        type = old.type
        description = old.description
        scopes = replacement.scopes?.map(\.text) ?? old.scopes
        permissions = old.permissions
        allowedNamespaces = old.allowedNamespaces
        allowedAddresses = old.allowedAddresses
        rateLimitPerMinute = old.rateLimitPerMinute
        rateLimitPerHour = old.rateLimitPerHour
        expiresAt = old.expiresAt
        metadata = old.metadata
        claims = old.claims
        disabledAt = old.disabledAt
    }
}

extension KeyRules {
    /// What is wrong with a replacement.
    fileprivate init(_ replacement: KeyReplacement) {
        self.init()
        if let name = replacement.name { check(name: name) }
        if let scopes = replacement.scopes { check(scopes: scopes) }
    }
}

extension Changes {
    /// What a key starts with that took another's place.
    fileprivate init(created key: KeyRecord, replacing old: UUID) {
        self.init()
        add("kind", .string(key.kind.rawValue))
        add("mode", .string(key.mode.rawValue))
        add("subject", key.subject.json)
        add("scopes", key.scopes.json)
        add("replaces", .string(UUIDv7.text(of: old)))
    }
}
