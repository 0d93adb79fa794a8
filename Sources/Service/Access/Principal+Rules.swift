public import FoundationEssentials
import KeyStore
public import Keys
public import People
import Tenancy
import Verification

/// What a principal is refused.
extension Principal {
    /// Refuses unless the credential has a permission anywhere.
    ///
    /// What an operator key does where it reaches takes `platform:*`, whatever an admin key would need for it.
    public func require(_ permission: Permission) throws(Refusal) {
        let needed = reach == .platform ? Permission.platform : permission
        guard permissions.contains(needed) else { throw .forbidden(needed) }
    }

    /// Refuses unless the credential has a permission in a workspace that it reaches.
    public func require(_ permission: Permission, in workspace: UUID) throws(Refusal) {
        guard let member else { return try require(permission) }
        guard member.grants.contains(where: { $0.covers(workspace) && $0.role.permissions.contains(permission) }) else {
            throw .forbidden(permission)
        }
    }

    /// Refuses unless the credential has a permission over a whole organization, or over the platform.
    public func requireWide(_ permission: Permission) throws(Refusal) {
        try require(permission)
        guard let member else { return }
        let isWide = member.grants.contains { $0.workspaceID == nil && $0.role.permissions.contains(permission) }
        guard isWide else { throw .forbiddenKind("This needs a role in the whole organization.") }
    }

    /// The workspaces that a permission is confined to; `nil` where it holds wherever the credential reaches.
    ///
    /// A role in the whole organization widens what one sees only where it has the permission itself.
    func workspaces(with permission: Permission) -> Set<UUID>? {
        guard let member else { return confinement }
        let places = member.grants.filter { $0.role.permissions.contains(permission) }.map(\.workspaceID)
        return places.contains(nil) ? nil : Set(places.compactMap(\.self))
    }

    /// Refuses unless this is an operator key with a permission.
    public func requirePlatform(_ permission: Permission) throws(Refusal) {
        guard reach == .platform else { throw .forbiddenKind("This needs an operator key.") }
        try require(permission)
    }

    /// Refuses unless the credential reaches into an organization.
    ///
    /// The organization itself is then not told to exist.
    public func requireReach(into organization: UUID) throws(Refusal) {
        switch reach {
        case .platform: try require(.platform)
        case .organization(organization), .workspaces(_, of: organization): return
        case .organization, .workspaces: throw .notFound
        }
    }

    /// Refuses unless the credential reaches into a workspace of an organization, which is then not told to exist.
    public func requireReach(into organization: UUID, workspace: UUID) throws(Refusal) {
        try requireReach(into: organization)
        if case .workspaces(let own, _) = reach, !own.contains(workspace) { throw .notFound }
    }

    /// The strongest role of a member in a workspace, or, of `nil`, in the whole organization.
    public func role(in workspace: UUID?) -> MemberRole? {
        let roles = (member?.grants ?? [])
            .filter { grant in workspace.map(grant.covers) ?? (grant.workspaceID == nil) }
            .map(\.role)
        return MemberRole.byStrength.first(where: roles.contains)
    }

    /// The workspaces that it is confined to; `nil` for who reaches all of an organization.
    var confinement: Set<UUID>? {
        if case .workspaces(let own, _) = reach { own } else { nil }
    }

    // MARK: Client keys

    /// Which client keys of a workspace a principal comes to.
    public enum ClientKeyReach: Sendable, Hashable {
        /// Those of all subjects.
        case all
        /// Those of one subject.
        case subject(String)
    }

    /// Which client keys of a workspace a principal may see, or change.
    ///
    /// - Parameters:
    ///   - workspace: the workspace, which it reaches.
    ///   - permission: what is to be done.
    ///   - subject: whose keys alone are asked for.
    /// - Returns: all for whoever has the permission; one's own for a member, a client key, and a session of an application.
    /// - Throws: `Refusal.forbidden`, and `notFound` for a member or a client key that asks for another subject's.
    public func clientKeys(
        in workspace: UUID,
        _ permission: Permission,
        subject: String?
    ) throws(Refusal) -> ClientKeyReach {
        if case .external(let session) = identity {
            guard let own = session.own(subject ?? session.defaultSubject, permission) else {
                throw .forbidden(permission)
            }
            return .subject(own)
        }
        if let own = workspaceKey?.found.subject {
            try require(permission)
            guard subject == nil || subject == own else { throw .notFound }
            return .subject(own)
        }
        do throws(Refusal) {
            try require(permission, in: workspace)
            return .all
        } catch {
            guard let own = ownSubject(in: workspace), Self.ownPermissions.contains(permission) else {
                throw error
            }
            guard subject == nil || subject == own else { throw .notFound }
            return .subject(own)
        }
    }

    /// What members may do with what is their own.
    private static let ownPermissions: PermissionSet = [.keysRead, .keysWrite, .eventsRead]

    /// The subject of a member's own client keys in a workspace: the user's id.
    private func ownSubject(in workspace: UUID) -> String? {
        guard let member, member.grants.contains(where: { $0.covers(workspace) && $0.role == .member }) else {
            return nil
        }
        return UUIDv7.text(of: member.userID)
    }

    /// Whether it has client keys of its own in any workspace.
    public var ownsClientKeys: Bool {
        member?.grants.contains { $0.role == .member } ?? false
    }
}

extension MemberRole {
    /// The roles, the strongest first.
    static let byStrength: [MemberRole] = [.owner, .admin, .auditor, .member]
}
