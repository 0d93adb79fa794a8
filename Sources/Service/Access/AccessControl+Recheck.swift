import FoundationEssentials
import KeyStore
import Keys
import People
import Tenancy
import Verification

extension AccessControl {
    /// Returns a principal with its permissions at this moment, for a change of anything but a key.
    ///
    /// A request is authenticated before its body is read and before a password is hashed. A caller that has lost its
    /// access since must not decide any more.
    ///
    /// - Parameters:
    ///   - principal: The principal that sent the request.
    ///   - includesRetired: True for a change that a replaced secret and a deprecated key can make.
    ///   - transaction: A transaction in the control database, which changes what the principal decides.
    /// - Returns: The principal.
    /// - Throws: `Refusal.unauthenticated` if the session or the key has ended, `forbiddenKind` for a replaced secret or
    ///   a deprecated key; the database's errors.
    func recheck(
        _ principal: Principal,
        includingRetired includesRetired: Bool = false,
        in transaction: AuditedTransaction
    ) async throws -> Principal {
        let current = try await reread(principal, in: transaction)
        if !includesRetired { try current.requireCurrent() }
        return current
    }

    private func reread(_ principal: Principal, in transaction: AuditedTransaction) async throws -> Principal {
        try await hold(principal, in: transaction)
        switch principal.identity {
        case .member(let member):
            return try Self.principal(of: try await PeopleStore(transaction.connection).session(member.sessionID))
        case .key(let presented):
            let owner = principal.ownerOfKey
            let now = try await transaction.now()
            guard let key = try await KeyStore(transaction.connection).find(presented.keyID, in: owner),
                key.status(at: now).isUsable,
                let secret = key.secrets.first(where: { $0.id == presented.secretID }),
                let permissions = PermissionSet(names: key.permissions),
                let bounds = KeyBounds(key, secret: secret)
            else { throw Refusal.unauthenticated }
            return Principal(
                keyID: presented.keyID,
                secretID: presented.secretID,
                name: key.name,
                reach: principal.reach,
                permissions: permissions,
                bounds: bounds
            )
        case .workspaceKey, .external, .system: return principal
        }
    }

    /// Lets the end of a credential wait until a transaction has ended: the revocation of a key, and the removal of a member.
    ///
    /// Call it before any lock that such an end takes, too.
    ///
    /// - Throws: The database's errors.
    func hold(_ principal: Principal, in transaction: AuditedTransaction) async throws {
        let keys = KeyStore(transaction.connection)
        switch principal.identity {
        case .member(let member): try await keys.holdChanges(by: member.userID)
        case .key(let presented): try await keys.hold(presented.keyID, in: principal.ownerOfKey)
        case .workspaceKey, .external, .system: break
        }
    }

    /// Returns a member with its roles at this moment, read outside of any transaction.
    private func reread(_ member: MemberIdentity) async throws -> Principal {
        try Self.principal(of: try await context.readCaller { try await PeopleStore.session(member.sessionID, in: $0) })
    }

    private static func principal(of session: SessionRecord?) throws(Refusal) -> Principal {
        guard let session, session.isAlive, let current = Principal(session) else { throw .unauthenticated }
        return current
    }

    /// Returns the caller of a change of keys as it is when the transaction begins: a member of a workspace's keys with its roles at this
    /// moment.
    ///
    /// The member and the keys are in two databases, so the transaction holds a lock that the member's removal waits for. An admin key is
    /// not looked at. What was read when the request had arrived completely is what counts.
    ///
    /// - Throws: `Refusal.unauthenticated` if the session has ended, `Refusal.forbidden` if the member lost the permission.
    func enter(
        _ caller: Caller,
        over keys: KeyCollection,
        in transaction: AuditedTransaction
    ) async throws -> Caller {
        guard let workspace = keys.workspaceID, let member = caller.principal.member else { return caller }
        try await hold(caller.principal, in: transaction)
        var caller = caller
        caller.principal = try await reread(member)
        try caller.principal.requireWrites(to: keys, in: workspace)
        return caller
    }

    /// Returns the caller of a change of keys with its permissions at this moment, after the keys were locked.
    ///
    /// It looks only into the database of the keys. See ``enter(_:over:in:)`` for members.
    ///
    /// - Throws: `Refusal.unauthenticated` if the session or the key has ended, `Refusal.forbidden` if it lost the
    ///   permission.
    func recheck(
        _ caller: Caller,
        over keys: KeyCollection,
        in transaction: AuditedTransaction
    ) async throws -> Caller {
        switch keys.owner {
        case .workspace, .clients:
            if let key = caller.principal.workspaceKey { try await requireUsable(key, in: transaction) }
            return caller
        case .organization, .platform:
            var caller = caller
            // An Authority decides what a replaced secret or a deprecated key can still do to keys.
            caller.principal = try await reread(caller.principal, in: transaction)
            try caller.principal.requireWide(caller.principal.reach == .platform ? .platform : .keysWrite)
            return caller
        }
    }

    /// Throws if a key of the workspace, or its presented secret, has ended since the request came.
    private func requireUsable(_ presented: VerifiedKey, in transaction: AuditedTransaction) async throws {
        let (state, owner) = (presented.found.state, presented.owner)
        let now = try await transaction.now()
        guard let key = try await KeyStore(transaction.connection).find(state.keyID, in: owner),
            key.status(at: now).isUsable, key.secrets.contains(where: { $0.id == state.secretID })
        else { throw Refusal.unauthenticated }
    }
}

extension VerifiedKey {
    /// The owner of the key in its workspace's database.
    fileprivate var owner: KeyOwner { found.subject.map { KeyOwner.clients(subject: $0) } ?? .workspace }
}

extension Principal {
    /// The owner of an admin or operator key.
    fileprivate var ownerOfKey: KeyOwner { organizationID.map(KeyOwner.organization) ?? .platform }

    /// Returns the credential if it is a key in the database of a collection.
    func key(inDatabaseOf keys: KeyCollection) -> CallerKey? {
        switch (identity, keys.owner) {
        case (.key(let presented), .organization), (.key(let presented), .platform):
            CallerKey(presented.keyID, of: ownerOfKey)
        case (.workspaceKey(let presented), .workspace), (.workspaceKey(let presented), .clients):
            CallerKey(presented.found.state.keyID, of: presented.owner)
        default: nil
        }
    }

    /// Throws unless the credential can write all keys of a collection of a workspace.
    fileprivate func requireWrites(to keys: KeyCollection, in workspace: UUID) throws(Refusal) {
        guard keys.isOfClients else { return try require(.keysWrite, in: workspace) }
        let reach = try clientKeys(in: workspace, .keysWrite, subject: keys.subject)
        if case .all = reach { return }
        guard keys.subject != nil else { throw .forbidden(.keysWrite) }
    }
}
