public import FoundationEssentials
import KeyStore
public import Keys
import Postgres
public import Tenancy

/// The sets of keys that a principal may come to.
extension AccessControl {
    /// The workspace that a request names by id or slug, or the organization's default one.
    ///
    /// - Throws: `Refusal.notFound` also when it belongs to somebody else, and where there is no default.
    public func workspace(orDefault name: String?, for principal: Principal) async throws -> Workspace {
        if let name { return try await workspace(name, for: principal) }
        guard let organization = principal.organizationID else { throw Refusal.notFound }
        let found = try await platform.databases.control.pool.withConnection { connection in
            try await platform.controlStore(connection).defaultWorkspace(of: organization)
        }
        guard let found, found.state != .deleting else { throw Refusal.notFound }
        try principal.requireReach(into: organization, workspace: found.id)
        return found
    }

    /// The workspace that a principal means who names none; `nil` where there is none.
    public func homeWorkspace(of principal: Principal) async throws -> UUID? {
        guard let organization = principal.organizationID else { return nil }
        return try await platform.databases.control.pool.withConnection { connection in
            try await platform.controlStore(connection)
                .homeWorkspace(of: organization, among: principal.confinement)
        }
    }

    /// The service and anon keys of a workspace, which no operator key reaches.
    ///
    /// - Parameters:
    ///   - name: the workspace's id or slug; `nil` is the organization's default workspace.
    ///   - principal: who asks.
    ///   - permission: what is going to be done.
    /// - Returns: the keys.
    /// - Throws: `Refusal.notFound` for a workspace that the principal does not reach, `Refusal.forbidden`.
    public func keys(
        ofWorkspace name: String?,
        for principal: Principal,
        _ permission: Permission
    ) async throws -> KeyHome {
        guard principal.workspaceKey == nil else {
            throw Refusal.forbiddenKind("A key of a workspace manages its client keys at the most.")
        }
        let workspace = try await inside(name, for: principal)
        try principal.require(permission, in: workspace.id)
        return KeyHome(owner: .workspace(workspace, tokenPrefix: try await tokenPrefix(workspace)))
    }

    /// The client keys of a workspace: of all subjects, or of one.
    ///
    /// - Parameters:
    ///   - name: the workspace's id or slug; `nil` is the organization's default workspace.
    ///   - subject: whose keys alone are asked for; who may only come to one subject's keys comes to those in any case.
    ///   - principal: who asks.
    ///   - permission: what is going to be done.
    /// - Returns: the keys.
    /// - Throws: `Refusal.notFound` for a workspace that the principal does not reach, `Refusal.forbidden`.
    public func clientKeys(
        ofWorkspace name: String?,
        subject: String? = nil,
        for principal: Principal,
        _ permission: Permission
    ) async throws -> KeyHome {
        let workspace = try await inside(name, for: principal)
        let subject: String? =
            switch try principal.clientKeys(in: workspace.id, permission, subject: subject) {
            case .all: subject
            case .subject(let own): own
            }
        return KeyHome(
            owner: .clients(workspace, subject: subject, tokenPrefix: try await tokenPrefix(workspace))
        )
    }

    /// The keys whose tokens carry a workspace's ref: a workspace's service keys, or the organization's admin keys.
    ///
    /// - Throws: `Refusal.notFound` also where the ref is somebody else's.
    public func keys(at ref: WorkspaceRef, for principal: Principal, _ permission: Permission) async throws -> KeyHome {
        guard let organization = principal.organizationID else { throw Refusal.notFound }
        if ref.isRoot {
            return try await keys(ofOrganization: UUIDv7.text(of: organization), for: principal, permission)
        }
        guard let facts = try await platform.databases.facts(ref: ref, organization: organization) else {
            throw Refusal.notFound
        }
        return try await keys(ofWorkspace: UUIDv7.text(of: facts.workspaceID), for: principal, permission)
    }

    /// The admin keys of an organization: for itself, and for the platform, which must be able to let an organization back in.
    public func keys(
        ofOrganization name: String,
        for principal: Principal,
        _ permission: Permission
    ) async throws -> KeyHome {
        let organization = try await self.organization(name, for: principal)
        try principal.requireWide(principal.reach == .platform ? .platform : permission)
        return KeyHome(owner: .organization(organization.id))
    }

    /// The operator keys.
    public func keysOfPlatform(for principal: Principal) throws(Refusal) -> KeyHome {
        try principal.requirePlatform(.platform)
        return KeyHome(owner: .platform)
    }

    /// A workspace for whoever may look inside, which operators may not.
    private func inside(_ name: String?, for principal: Principal) async throws -> Workspace {
        guard principal.reach != .platform else {
            throw Refusal.forbiddenKind("The keys inside a workspace need an admin key of its organization.")
        }
        return try await workspace(orDefault: name, for: principal)
    }

    /// What the owner of a workspace lets its tokens begin with.
    private func tokenPrefix(_ workspace: Workspace) async throws -> TokenPrefix? {
        try await platform.databases.control.pool.withConnection { connection in
            try await platform.controlStore(connection).organization(workspace.organizationID)
        }?
        .tokenPrefix.flatMap(TokenPrefix.init)
    }
}
