import FoundationEssentials
import JSON
import KeyStore
import Keys

extension KeyRecord {
    /// A key as it begins.
    init(_ draft: KeyDraft, id: UUID, in home: KeyHome, createdBy: String, at now: Timestamp) {
        self.init(
            id: id,
            kind: draft.kind,
            organizationID: home.keyOwner.organizationID,
            name: draft.name,
            mode: draft.mode,
            createdBy: draft.createdBy ?? createdBy,
            createdAt: now
        )
        subject = draft.subject
        type = draft.type
        uniqueName = (draft.uniqueness ?? home.uniqueness) == .unique ? draft.name : nil
        description = draft.description
        scopes = draft.scopes.map(\.text)
        permissions = draft.permissions.names
        allowedNamespaces = draft.allowedNamespaces
        allowedAddresses = draft.allowedAddresses.map(\.description)
        rateLimitPerMinute = draft.rateLimitPerMinute
        rateLimitPerHour = draft.rateLimitPerHour
        expiresAt = draft.expiresAt
        metadata = draft.metadata
        claims = draft.claims?.storedText
    }

    /// What a further token of the key says openly: what the one before it said.
    func tokenForm(in home: KeyHome) -> TokenForm {
        let prefix = TokenPrefix(String(self.prefix.prefix { $0 != "_" })) ?? home.tokenPrefix(kind)
        return TokenForm(prefix: prefix, mode: mode)
    }

    /// Announces the end, never later than it was.
    mutating func deprecate(reason: String?, grace: GracePeriod, at now: Timestamp) throws -> Changes {
        let old = gracePeriodEndsAt
        switch try RotationRule.endOfDeprecatedKey(lifecycle, grace: grace, at: now) {
        case .at(let end): gracePeriodEndsAt = end
        case .atOnce:
            // A change of state: no node's clock has a say in it.
            gracePeriodEndsAt = now
            endedAt = now
        }
        deprecatedAt = deprecatedAt ?? now
        deprecationReason = reason ?? deprecationReason
        var changes = Changes()
        changes.add("grace_period_ends_at", from: old.json, to: gracePeriodEndsAt.json)
        changes.add("reason", reason.json)
        return changes
    }

    /// Refuses to change what has ended for good.
    func requireNotRevoked(_ participle: String) throws(Refusal) {
        guard revokedAt == nil else { throw .conflict("The key is revoked and cannot be \(participle).") }
    }

    /// Refuses to prolong what has ended.
    func requireAlive(_ participle: String, at now: Timestamp) throws(Refusal) {
        switch status(at: now) {
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
        changes.set("name", &name, patch.name) { .string($0) }
        // A name that must be the only one stays so under its new spelling.
        if uniqueName != nil { uniqueName = name }
        if case .set(let subject) = patch.subject { changes.set("subject", &self.subject, .set(subject)) { $0.json } }
        changes.set("description", &description, patch.description) { $0.json }
        changes.set("scopes", &scopes, patch.scopes.map { $0.map(\.text) }) { $0.json }
        changes.set("permissions", &permissions, patch.permissions.map(\.names)) { $0.json }
        changes.set("allowed_namespaces", &allowedNamespaces, patch.allowedNamespaces) { $0?.json ?? .null }
        changes.set("allowed_ips", &allowedAddresses, patch.allowedAddresses.map { $0.map(\.description) }) {
            $0.json
        }
        changes.set("rate_limit_per_minute", &rateLimitPerMinute, patch.rateLimitPerMinute) { $0.json }
        changes.set("rate_limit_per_hour", &rateLimitPerHour, patch.rateLimitPerHour) { $0.json }
        changes.set("expires_at", &expiresAt, patch.expiresAt) { $0.json }
        changes.set("metadata", &metadata, patch.metadata) { _ in .string("changed") }
        changes.set("claims", &claims, patch.claims.map { $0?.storedText }) { _ in .string("changed") }
        return changes.isEmpty ? nil : changes
    }
}

extension KeyDraft {
    /// The draft with the subject of its home, which is the only one that it may have there.
    func settled(in home: KeyHome) throws(Refusal) -> KeyDraft {
        guard let own = home.subject else { return self }
        if let subject { try home.requireSubject(subject) }
        var draft = self
        draft.subject = own
        return draft
    }

    /// The draft with its end, which must lie in the future.
    func settled(at now: Timestamp) throws(Refusal) -> KeyDraft {
        var draft = self
        if let lifetime { draft.expiresAt = now + lifetime }
        try draft.expiresAt?.requireFuture(now)
        return draft
    }
}

extension KeyHome {
    /// Refuses keys of anybody but the subject whose keys these are.
    func requireSubject(_ subject: String) throws(Refusal) {
        guard let own = self.subject, !own.utf8.elementsEqual(subject.utf8) else { return }
        throw .forbiddenKind("A key can only be made for one's own subject.")
    }
}

extension JSONValue {
    /// As it is stored; `null` is nothing.
    fileprivate var storedText: String? { isNull ? nil : text }
}

extension Timestamp {
    /// Refuses an end that has come already.
    func requireFuture(_ now: Timestamp) throws(Refusal) {
        guard self <= now else { return }
        throw .invalid([InvalidField(pointer: "/expires_at", detail: "Must be in the future.")])
    }
}
