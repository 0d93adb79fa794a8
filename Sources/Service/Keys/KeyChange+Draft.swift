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
    /// - Throws: `Refusal.quotaReached`, `uniqueViolation` if the name is taken, and the database's errors.
    func create(
        _ draft: KeyDraft,
        _ token: Token,
        id: UUID? = nil,
        owner: KeyOwner? = nil
    ) async throws -> KeyRecord {
        let owner = owner ?? keys.keyOwner
        try await requireRoom(for: draft, of: owner)
        let key = KeyRecord(draft, id: id ?? newID, owner: owner, createdBy: caller.principal.actor, at: now)
        return try await writer.create(key, secret(of: token), in: owner, EventChanges(created: draft, at: now))
    }

    /// Throws if the owner of a new key has reached its quota.
    private func requireRoom(for draft: KeyDraft, of owner: KeyOwner) async throws {
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
            if let subject = draft.subject {
                let limit = quotas.keysPerSubject
                guard try await writer.hasRoom(forSubject: subject, limit) else {
                    throw Refusal.quotaReached("The subject has \(limit) keys, its maximum. Delete some of them.")
                }
            }
            let limit = quotas.keysPerWorkspace
            guard try await writer.workspaceHasRoom(limit) else {
                throw Refusal.quotaReached("The workspace has \(limit) keys, its maximum. Delete some of them.")
            }
        }
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
