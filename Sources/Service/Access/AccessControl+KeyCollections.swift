import FoundationEssentials
public import Keys
import Tenancy

/// The collections of keys that a principal reaches.
extension AccessControl {
    /// Returns the service and anon keys of a workspace.
    ///
    /// Operator keys do not reach them.
    ///
    /// - Parameters:
    ///   - name: The workspace's id or slug; `nil` is the organization's default workspace.
    ///   - principal: The principal that sent the request.
    ///   - permission: The permission that the call needs.
    /// - Returns: The keys.
    /// - Throws: `Refusal.notFound` for a workspace out of the principal's reach, `Refusal.forbidden`.
    public func keys(
        ofWorkspace name: String?,
        for principal: Principal,
        _ permission: Permission
    ) async throws -> KeyCollection {
        guard principal.workspaceKey == nil else {
            throw Refusal.forbiddenKind("A key of a workspace can manage only client keys.")
        }
        let workspace = try await inside(name, for: principal)
        try principal.require(permission, in: workspace.id)
        return KeyCollection(owner: .workspace(workspace, tokenPrefix: try await tokenPrefix(workspace)))
    }

    /// Returns the client keys of a workspace: of all subjects, or of one.
    ///
    /// - Parameters:
    ///   - name: The workspace's id or slug; `nil` is the organization's default workspace.
    ///   - subject: The only subject that the call is about. A principal that reaches one subject's keys gets those in
    ///     any case.
    ///   - principal: The principal that sent the request.
    ///   - permission: The permission that the call needs.
    /// - Returns: The keys.
    /// - Throws: `Refusal.notFound` for a workspace out of the principal's reach, `Refusal.forbidden`.
    public func clientKeys(
        ofWorkspace name: String?,
        subject: String? = nil,
        for principal: Principal,
        _ permission: Permission
    ) async throws -> KeyCollection {
        let workspace = try await inside(name, for: principal)
        let subject: String? =
            switch try principal.clientKeys(in: workspace.id, permission, subject: subject) {
            case .all: subject
            case .subject(let own): own
            }
        return KeyCollection(
            owner: .clients(workspace, subject: subject, tokenPrefix: try await tokenPrefix(workspace))
        )
    }

    /// Returns the client keys of a subject in a workspace, for a caller that removes the subject.
    func clientKeys(of workspace: Workspace, subject: String) -> KeyCollection {
        KeyCollection(owner: .clients(workspace, subject: subject, tokenPrefix: nil))
    }

    /// Returns the keys whose tokens carry a workspace reference: a workspace's service keys, or the organization's
    /// admin keys.
    ///
    /// - Throws: `Refusal.notFound`, also if the reference belongs to another organization.
    public func keys(
        at ref: WorkspaceRef,
        for principal: Principal,
        _ permission: Permission
    ) async throws -> KeyCollection {
        guard let organization = principal.organizationID else { throw Refusal.notFound }
        if ref.isRoot {
            return try await keys(ofOrganization: UUIDv7.text(of: organization), for: principal, permission)
        }
        guard let facts = try await context.databases.facts(ref: ref, organization: organization) else {
            throw Refusal.notFound
        }
        return try await keys(ofWorkspace: UUIDv7.text(of: facts.workspaceID), for: principal, permission)
    }

    /// Returns the admin keys of an organization.
    ///
    /// Operator keys reach them: an organization without a working admin key gets in again by an operator.
    public func keys(
        ofOrganization name: String,
        for principal: Principal,
        _ permission: Permission
    ) async throws -> KeyCollection {
        let organization = try await self.organization(name, for: principal)
        try principal.requireWide(principal.reach == .platform ? .platform : permission)
        return KeyCollection(owner: .organization(organization.id))
    }

    /// Returns the operator keys.
    public func keysOfPlatform(for principal: Principal) throws(Refusal) -> KeyCollection {
        try principal.requirePlatform(.platform)
        return .platform
    }

    /// Returns a workspace for a principal that can read its keys.
    ///
    /// Operators cannot.
    private func inside(_ name: String?, for principal: Principal) async throws -> Workspace {
        guard principal.reach != .platform else {
            throw Refusal.forbiddenKind("Keys inside a workspace need an admin key of the organization.")
        }
        return try await workspace(orDefault: name, for: principal)
    }

    /// Returns the token prefix that the workspace's organization has set.
    private func tokenPrefix(_ workspace: Workspace) async throws -> TokenPrefix? {
        try await context.readControl { try await $0.organization(workspace.organizationID) }?
            .tokenPrefix.flatMap(TokenPrefix.init)
    }
}
