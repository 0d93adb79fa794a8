import FoundationEssentials
import KeyStore
import Keys

extension KeyChange {
    /// Creates a key from a draft, with the caller's own restrictions where the draft names none.
    ///
    /// - Parameters:
    ///   - draft: The draft.
    ///   - id: The key's id; by default the one for a new key of this change.
    ///   - owner: The owner; by default the collection's.
    ///   - token: Returns the token of the key.
    /// - Returns: The key as it was stored, and its token.
    /// - Throws: `Refusal` if the caller cannot create such a key or the owner's quota is reached, `uniqueViolation` if
    ///   the name is taken, and the database's errors.
    func create(
        _ draft: KeyDraft,
        id: UUID? = nil,
        owner: KeyOwner? = nil,
        token: (KeyRecord) throws -> Token
    ) async throws -> (key: KeyRecord, token: Token) {
        let owner = owner ?? keys.keyOwner
        let drafted = KeyRecord(draft, id: id ?? newID, owner: owner, createdBy: caller.principal.actor, at: now)
        let key = authority(over: owner).bounded(drafted, mode: draft.mode)
        let token = try token(key)
        return (try await create(key, token, owner: owner, EventChanges(created: key, draft)), token)
    }
}

extension EventChanges {
    /// Creates the details of a new key.
    ///
    /// The metadata is the owner's data and stays out of the log.
    init(created key: KeyRecord, _ draft: KeyDraft) {
        self.init()
        add("kind", key.kind.rawValue)
        add("mode", key.mode.rawValue)
        add("subject", key.subject)
        add("type", key.type)
        add("created_by", draft.createdBy)
        add("scopes", key.scopes)
        if !key.permissions.isEmpty { add("permissions", key.permissions) }
        add("allowed_namespaces", key.allowedNamespaces)
        if !key.allowedAddresses.isEmpty { add("allowed_ips", key.allowedAddresses) }
        add("rate_limit_per_minute", key.rateLimitPerMinute)
        add("rate_limit_per_hour", key.rateLimitPerHour)
        add("expires_at", key.expiresAt)
    }
}
