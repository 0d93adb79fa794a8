import FoundationEssentials
import KeyStore
import Keys

extension KeyChange {
    /// Creates a key from a draft.
    ///
    /// - Parameters:
    ///   - draft: The draft.
    ///   - token: The key's token.
    ///   - id: The key's id; by default the one for a new key of this change.
    ///   - owner: The owner; by default the collection's.
    /// - Returns: The key as it was stored.
    /// - Throws: `uniqueViolation` if the name is taken, and the database's errors.
    func create(
        _ draft: KeyDraft,
        _ token: Token,
        id: UUID? = nil,
        owner: KeyOwner? = nil
    ) async throws -> KeyRecord {
        let owner = owner ?? keys.keyOwner
        let key = KeyRecord(draft, id: id ?? newID, owner: owner, createdBy: caller.principal.actor, at: now)
        return try await writer.create(key, secret(of: token), in: owner, EventChanges(created: draft, at: now))
    }
}

extension EventChanges {
    /// Creates the details of a new key.
    ///
    /// The metadata is the owner's data and stays out of the log.
    init(created draft: KeyDraft, at now: Timestamp) {
        self.init()
        add("kind", draft.kind.rawValue)
        add("mode", draft.mode.rawValue)
        add("subject", draft.subject)
        add("type", draft.type)
        add("created_by", draft.createdBy)
        add("scopes", draft.scopes.map(\.text))
        if !draft.permissions.names.isEmpty { add("permissions", draft.permissions.names) }
        add("allowed_namespaces", draft.allowedNamespaces)
        if !draft.allowedAddresses.isEmpty { add("allowed_ips", draft.allowedAddresses.map(\.description)) }
        add("rate_limit_per_minute", draft.rateLimitPerMinute)
        add("rate_limit_per_hour", draft.rateLimitPerHour)
        add("expires_at", draft.expiry.instant(from: now))
    }
}
