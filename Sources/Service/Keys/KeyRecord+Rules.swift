import FoundationEssentials
import JSON
import KeyStore
import Keys

extension KeyRecord {
    /// Creates a key from a draft.
    init(_ draft: KeyDraft, id: UUID, owner: KeyOwner, createdBy: String, at now: Timestamp) {
        self.init(
            id: id,
            kind: draft.kind,
            organizationID: owner.organizationID,
            name: draft.name,
            mode: draft.mode ?? .live,
            createdBy: draft.createdBy ?? createdBy,
            createdAt: now
        )
        subject = draft.subject
        type = draft.type
        uniqueName = (draft.uniqueness ?? owner.uniqueness) == .unique ? draft.name : nil
        description = draft.description
        scopes = draft.scopes.map(\.text)
        permissions = draft.permissions.names
        allowedNamespaces = draft.allowedNamespaces
        allowedAddresses = draft.allowedAddresses.map(\.description)
        rateLimitPerMinute = draft.rateLimitPerMinute
        rateLimitPerHour = draft.rateLimitPerHour
        expiresAt = draft.expiry.instant(from: now)
        metadata = draft.metadata
        claims = draft.claims?.storedText
    }

    /// Returns the readable parts of the key's next token: those of its tokens so far.
    func tokenForm(in keys: KeyCollection) -> TokenForm {
        let prefix = TokenPrefix(String(self.prefix.prefix { $0 != "_" })) ?? keys.tokenPrefix(kind)
        return TokenForm(prefix: prefix, mode: mode)
    }

    /// Starts the grace period, or shortens the one that has started.
    mutating func deprecate(reason: String?, grace: GracePeriod, at now: Timestamp) throws -> EventChanges {
        let old = gracePeriodEndsAt
        switch try RotationRule.endOfDeprecatedKey(lifecycle, grace: grace, at: now) {
        case .at(let end): gracePeriodEndsAt = end
        case .atOnce:
            // A change of state: no node's clock decides.
            gracePeriodEndsAt = now
            endedAt = now
        }
        deprecatedAt = deprecatedAt ?? now
        deprecationReason = reason ?? deprecationReason
        var changes = EventChanges()
        changes.add("grace_period_ends_at", from: old, to: gracePeriodEndsAt)
        changes.add("reason", reason)
        return changes
    }

    /// Throws if the key is revoked.
    func requireNotRevoked(_ participle: String) throws(Refusal) {
        guard revokedAt == nil else { throw .conflict("The key is revoked and cannot be \(participle).") }
    }

    /// Throws if the key is revoked or has expired.
    func requireAlive(_ participle: String, at now: Timestamp) throws(Refusal) {
        switch status(at: now) {
        case .revoked: throw .conflict("The key is revoked and cannot be \(participle).")
        case .expired: throw .conflict("The key has expired and cannot be \(participle).")
        case .active, .disabled, .deprecated: break
        }
    }
}

extension KeyOwner {
    /// The uniqueness of names where a draft does not say.
    var uniqueness: NameUniqueness {
        if case .clients = self { .none } else { .unique }
    }
}

extension KeyDraft {
    /// Returns the draft with the subject of its collection, which is the only one that it can have there.
    func resolved(in keys: KeyCollection) throws(Refusal) -> KeyDraft {
        guard let own = keys.subject else { return self }
        if let subject { try keys.requireSubject(subject) }
        var draft = self
        draft.subject = own
        return draft
    }
}

extension KeyExpiry {
    /// Throws unless the expiry is in the future.
    func requireFuture(_ now: Timestamp) throws(Refusal) {
        guard let instant = instant(from: now), instant <= now else { return }
        throw .invalid([InvalidField(pointer: "/expires_at", detail: "Must be in the future.")])
    }
}

extension KeyCollection {
    /// Throws if the collection is confined to another subject.
    func requireSubject(_ subject: String) throws(Refusal) {
        guard let own = self.subject, !own.utf8.elementsEqual(subject.utf8) else { return }
        throw .forbiddenKind("A caller can create keys only for its own subject.")
    }
}
