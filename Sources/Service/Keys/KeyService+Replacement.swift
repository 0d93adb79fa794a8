public import FoundationEssentials
import JSON
public import KeyStore
public import Keys

/// The rotation of a key by another key that replaces it.
public struct KeyReplacement: Sendable {
    /// The grace period of the old key.
    ///
    /// `nil` keeps the end that a deprecation has announced, and otherwise means a day.
    package var grace: GracePeriod?
    /// The name of the new key; `nil` keeps the name.
    public var name: String?
    /// The scopes of the new key; `nil` keeps the scopes.
    public var scopes: [Scope]?

    /// Creates a replacement that keeps all settings, with a grace period of a day.
    public init() {}

    /// Returns the grace period of an old key.
    ///
    /// A grace period never moves an announced end to a later time, so the longest one keeps it.
    fileprivate func grace(of old: KeyRecord) -> GracePeriod {
        if let grace { return grace }
        guard old.gracePeriodEndsAt != nil else { return .default }
        return GracePeriod(seconds: GracePeriod.range.upperBound) ?? .default
    }
}

extension KeyService {
    /// Creates a key with the settings of an old key, and deprecates the old key.
    ///
    /// Dialects whose keys have one secret for life rotate in this way. The new key takes the old name and its
    /// uniqueness. A name of its own must be free. The old key ends no later than before. Uses of both keys count for the
    /// same rate limits. A disabled key's replacement is disabled.
    ///
    /// A key has one live successor. Until the successor is revoked, has expired or is deleted, the old key cannot be
    /// replaced again. A revoked or expired key cannot be replaced at all.
    ///
    /// - Parameters:
    ///   - id: The old key.
    ///   - replacement: The differences.
    ///   - keys: The collection that contains both keys.
    ///   - caller: The caller. A repeated request with the same `Idempotency-Key` gets the same answer and the same
    ///     token.
    ///   - answer: Renders the new and the old key as JSON text without a token: the answer of repeated requests.
    /// - Returns: The answer and the new key's token.
    /// - Throws: `Refusal`, or the database's errors.
    public func replace(
        _ id: UUID,
        _ replacement: KeyReplacement,
        in keys: KeyCollection,
        by caller: Caller,
        answer: @Sendable (_ new: KeyRecord, _ old: KeyRecord) -> String
    ) async throws -> IssuedKey {
        try KeyRules(replacement).enforce()
        return try await changes.issue(.existing(id), recordedAs: .newKey, in: keys, by: caller) { target, change in
            let old = try target.required()
            try old.requireAlive("rotated", at: change.now)
            try await requireNoSuccessor(of: old, change)
            var deprecated = old
            let new = KeyRecord(replacing: &deprecated, replacement, change)
            var details = try deprecated.deprecate(
                reason: nil,
                grace: replacement.grace(of: old),
                at: change.now
            )
            details.add("replaced_by", new.id)
            deprecated.replacedBy = new.id
            let token = try change.token(old.tokenForm(in: keys), for: new.id)
            let written = try await change.replace(
                old,
                deprecated,
                by: new,
                token,
                (old: details, new: EventChanges(created: new, replacing: id))
            )
            return IssuedKey(
                answer: answer(written.new, written.old),
                token: token,
                isReplay: false,
                keyID: new.id
            )
        }
    }

    /// Throws if the key that replaced a key is still of use.
    private func requireNoSuccessor(of old: KeyRecord, _ change: KeyChange) async throws {
        guard let id = old.replacedBy, let successor = try await change.store.find(id, in: change.keys.keyOwner) else {
            return
        }
        switch successor.status(at: change.now) {
        case .revoked, .expired: return
        case .active, .disabled, .deprecated:
            throw Refusal.conflict("The key was rotated already. Rotate the key that replaced it.")
        }
    }
}

extension KeyRecord {
    /// Creates a key with the settings of an old key, which hands over its name.
    fileprivate init(replacing old: inout KeyRecord, _ replacement: KeyReplacement, _ change: KeyChange) {
        self.init(
            id: change.newID,
            kind: old.kind,
            organizationID: old.organizationID,
            name: old.name,
            mode: old.mode,
            createdBy: change.caller.principal.actor,
            createdAt: change.now
        )
        if let name = replacement.name, name != old.name {
            self.name = name
            uniqueName = change.keys.keyOwner.uniqueness == .unique || old.uniqueName != nil ? name : nil
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
        holds = old.holds
        limitID = old.limitID ?? old.id
    }
}

extension KeyRules {
    /// Creates the faults of a replacement.
    fileprivate init(_ replacement: KeyReplacement) {
        self.init()
        if let name = replacement.name { check(name: name) }
        if let scopes = replacement.scopes { check(scopes: scopes) }
    }
}

extension EventChanges {
    /// Creates the details of a key that replaces another.
    fileprivate init(created key: KeyRecord, replacing old: UUID) {
        self.init()
        add("kind", key.kind.rawValue)
        add("mode", key.mode.rawValue)
        add("subject", key.subject)
        add("scopes", key.scopes)
        add("replaces", old)
    }
}
