import FoundationEssentials
public import KeyStore
public import Keys
import Postgres
public import Tenancy

/// What can be done with organizations; making one needs an operator key.
public struct OrganizationService: Sendable {
    let platform: Platform

    init(_ platform: Platform) { self.platform = platform }

    /// An organization that was made: with its first admin key and its default workspace, already active.
    public struct Founded: Sendable {
        /// The answer as JSON text, without the token.
        public let answer: String
        /// The admin key's token.
        public let token: Token
        /// Whether an earlier request with the same `Idempotency-Key` made it.
        public let isReplay: Bool
    }

    /// What a new organization consists of.
    public struct Foundation: Sendable {
        /// The organization.
        public let organization: Organization
        /// Where its keys live unless a request says otherwise.
        public let defaultWorkspace: Workspace
        /// Its first admin key, which may do everything in it.
        public let adminKey: KeyRecord
        /// The database's time.
        public let at: Timestamp
    }

    /// Makes an organization, its first admin key and its default workspace.
    ///
    /// The rows are one transaction in the control database; the workspace's database follows. If that is cut short the organization
    /// exists with a workspace that is still being created, which the next start or the twin of this request finishes.
    public func create(
        _ new: NewOrganization,
        by caller: Caller,
        answer: @Sendable (Foundation) -> String
    ) async throws -> Founded {
        try caller.principal.requirePlatform(.platform)
        let (made, token) = try await platform.controlTransaction { connection in
            try await found(new, by: caller, connection, answer: answer)
        }
        try await platform.settle(made.workspaceID)
        return Founded(answer: made.answer, token: token, isReplay: made.isReplay)
    }

    private func found(
        _ new: NewOrganization,
        by caller: Caller,
        _ connection: PostgresConnection,
        answer: @Sendable (Foundation) -> String
    ) async throws -> ((workspaceID: UUID, answer: String, isReplay: Bool), Token) {
        let keys = KeyStore(connection)
        let control = platform.controlStore(connection)
        let now = try await keys.now()
        let keyID = platform.newID(at: now)
        let root = KeyHome(owner: .platform)
        let form = TokenForm(prefix: root.tokenPrefix(.admin), mode: .live)
        let attempt = try await platform.claim(caller, root, resource: keyID, connection)
        if case .replay(let record) = attempt {
            let token = try platform.derivedToken(root, form, record, caller)
            let rows = try await connection.query(Self.workspaceOfAdminKey, [record.resourceID])
            guard let workspaceID: UUID = try rows.first?.decode(0), let answer = record.answer,
                try await isStored(token, record.resourceID, keys)
            else { throw Refusal.conflict("What this Idempotency-Key made has been deleted since.") }
            return ((workspaceID, answer, true), token)
        }
        let organization = try await control.createOrganization(new, by: caller.attribution)
        let workspace = try await control.createWorkspace(
            NewWorkspace(organizationID: organization.id, name: "Default", slug: "default", isDefault: true),
            by: caller.attribution
        )
        let token = try platform.makeToken(root, form, key: keyID, attempt, caller)
        let home = KeyHome(owner: .organization(organization.id))
        let key = try await platform.plant(
            KeyDraft(name: "First admin key", kind: .admin, permissions: .organization),
            token,
            id: keyID,
            in: home,
            by: caller,
            at: now,
            connection
        )
        let settled = try await control.organization(organization.id) ?? organization
        let foundation = Foundation(
            organization: settled,
            defaultWorkspace: workspace.activated,
            adminKey: key,
            at: now
        )
        let text = answer(foundation)
        try await platform.complete(attempt, answer: text, connection)
        return ((workspace.id, text, false), token)
    }

    private static let workspaceOfAdminKey = Statement(
        """
        SELECT w.id FROM auth.service_keys k JOIN control.workspaces w ON w.organization_id = k.organization_id AND w.is_default
        WHERE k.id = $1
        """
    )

    private func isStored(_ token: Token, _ key: UUID, _ keys: KeyStore) async throws -> Bool {
        for stored in platform.secrets.peppers.digests(of: token) {
            if try await keys.hasSecret(stored.digest, key: key, in: .platform) { return true }
        }
        return false
    }

    /// An organization that the caller reaches, by id or slug.
    public func get(_ name: String, by caller: Caller) async throws -> Organization {
        try await platform.access.organization(name, for: caller.principal)
    }

    /// Changes name, slug or token prefix; for operators.
    ///
    /// A change of nothing is none, and leaves no event.
    public func update(
        _ name: String,
        _ change: OrganizationChange,
        by caller: Caller
    ) async throws -> Organization {
        try caller.principal.requirePlatform(.platform)
        let organization = try await get(name, by: caller)
        if change == OrganizationChange() { return organization }
        return try await platform.controlTransaction { connection in
            try await platform.access.current(caller.principal, connection).requirePlatform(.platform)
            return try await platform.controlStore(connection)
                .updateOrganization(organization.id, change, by: caller.attribution)
        }
    }

    /// One page of organizations; an admin key sees its own.
    public func list(_ page: PageRequest, query: String?, by caller: Caller) async throws -> Page<Organization> {
        if let own = caller.principal.organizationID {
            let organization = try await get(UUIDv7.text(of: own), by: caller)
            let matches = query.map { organization.name.lowercased().contains($0.lowercased()) } ?? true
            return Page(matches && page.position == .first ? [organization] : [], of: page) {
                PageCursor(createdAt: $0.createdAt, id: $0.id)
            }
        }
        try caller.principal.requirePlatform(.platform)
        return try await platform.databases.control.pool.withConnection { connection in
            try await platform.controlStore(connection).organizations(page, query: query)
        }
    }
}

extension Caller {
    /// Who and whence, as events record it.
    var attribution: Attribution {
        Attribution(actor: principal.actor, address: address, requestID: requestID)
    }
}

extension Workspace {
    /// The workspace as it is once its database is ready; answers are only given then.
    var activated: Workspace {
        var copy = self
        copy.state = .active
        return copy
    }
}
