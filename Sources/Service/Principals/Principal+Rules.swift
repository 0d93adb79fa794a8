public import FoundationEssentials
import KeyStore
public import Keys
public import People
import Verification

/// The rules that a principal's credential is held to.
extension Principal {
    /// Throws unless the credential has a permission anywhere.
    ///
    /// Within its reach an operator key needs `platform:*`, whatever permission an admin key would need.
    public func require(_ permission: Permission) throws(Refusal) {
        let needed = reach == .platform ? Permission.platform : permission
        guard permissions.contains(needed) else { throw .forbidden(needed) }
    }

    /// Throws unless the credential has a permission in a workspace that it reaches.
    public func require(_ permission: Permission, in workspace: UUID) throws(Refusal) {
        guard let member else { return try require(permission) }
        guard member.grants.contains(where: { $0.covers(workspace) && $0.role.permissions.contains(permission) }) else {
            throw .forbidden(permission)
        }
    }

    /// Throws unless the credential has a permission over a whole organization, or over the platform.
    public func requireWide(_ permission: Permission) throws(Refusal) {
        try require(permission)
        guard let member else { return }
        let isWide = member.grants.contains { $0.workspaceID == nil && $0.role.permissions.contains(permission) }
        guard isWide else { throw .forbiddenKind("This needs a role in the whole organization.") }
    }

    /// Throws unless the credential is an operator key with a permission.
    public func requirePlatform(_ permission: Permission) throws(Refusal) {
        guard reach == .platform else { throw .forbiddenKind("This needs an operator key.") }
        try require(permission)
    }

    /// Throws `notFound` unless the credential reaches an organization.
    public func requireReach(into organization: UUID) throws(Refusal) {
        switch reach {
        case .platform: try require(.platform)
        case .organization(organization), .workspaces(_, of: organization): return
        case .organization, .workspaces: throw .notFound
        }
    }

    /// Throws `notFound` unless the credential reaches a workspace of an organization.
    public func requireReach(into organization: UUID, workspace: UUID) throws(Refusal) {
        try requireReach(into: organization)
        if case .workspaces(let own, _) = reach, !own.contains(workspace) { throw .notFound }
    }

    /// Throws unless the credential has all of these permissions itself.
    ///
    /// Operator keys are exempt: an organization without any working credential gets in again by them.
    func requireEach(of permissions: PermissionSet) throws(Refusal) {
        guard reach != .platform, !self.permissions.isSuperset(of: permissions) else { return }
        for permission in permissions.permissions { try require(permission) }
    }

    // MARK: The credential itself

    /// The refusal of a replaced secret or a deprecated key.
    static let retired = Refusal.forbiddenKind(
        """
        The token was replaced, or its key is deprecated. It can read, verify, disable and revoke, and do nothing else. \
        Use the new token.
        """
    )

    /// True if the presented secret was replaced or its key is deprecated.
    var isRetired: Bool {
        switch identity {
        case .key(let key): key.bounds.isRetired
        case .workspaceKey(let key): KeyBounds(key.found.state).isRetired
        case .member, .external, .system: false
        }
    }

    /// Throws if the presented secret was replaced or its key is deprecated.
    ///
    /// Somebody who holds an old token must not outlast its replacement.
    func requireCurrent() throws(Refusal) {
        if isRetired { throw Self.retired }
    }

    /// Throws if a key in test mode would create a credential for live keys, or take all of them away for good.
    ///
    /// The sentence of the refusal defaults to that about a credential.
    func requireLive(_ sentence: String = "A test key cannot give access to live keys.") throws(Refusal) {
        guard case .key(let key) = identity, key.bounds.mode == .test else { return }
        throw .forbiddenKind(sentence)
    }

    /// Throws if the credential is a key that cannot hand on a role because its restrictions would be lost.
    ///
    /// A role that manages or reads an organization is as strong as an admin key without restrictions. A `member` creates
    /// live keys.
    func requireHandOn(_ role: MemberRole) throws(Refusal) {
        guard case .key(let key) = identity else { return }
        try requireCurrent()
        try requireLive()
        guard role != .member, reach != .platform, !key.bounds.isUnrestricted else { return }
        throw .forbiddenKind(
            "An admin key with an expiry, allowed addresses or rate limits can give only the role member."
        )
    }

    /// Throws if the credential is a key that cannot decide about a webhook because its restrictions would be lost.
    ///
    /// A webhook outlives the key, and tells a receiver at any address of everything that happens to live keys. Whoever knows its secret
    /// can send the receiver events.
    func requireSubscription() throws(Refusal) {
        guard case .key(let key) = identity else { return }
        try requireCurrent()
        try requireLive()
        guard !key.bounds.isUnrestricted else { return }
        throw .forbiddenKind(
            """
            An admin key with an expiry, allowed addresses or rate limits can disable and delete webhooks. To create, change or enable one \
            or to rotate its secret, use an admin key without these restrictions, or a member's session.
            """
        )
    }

    /// Returns true if an owner's keys are of the kind of the presented admin or operator key.
    func isOwnKind(_ owner: KeyOwner) -> Bool {
        switch owner {
        case .platform: reach == .platform
        case .organization: reach != .platform
        case .workspace, .clients: false
        }
    }

    /// Returns true if the principal can change the client keys of all subjects in a workspace.
    func administersKeys(in workspace: UUID) -> Bool {
        (try? require(.keysWrite, in: workspace)) != nil
    }

    // MARK: Members

    /// Returns the workspaces that a permission is confined to, or `nil` if it holds wherever the credential reaches.
    ///
    /// A role in the whole organization widens what a member sees only if that role has the permission.
    func workspaces(with permission: Permission) -> Set<UUID>? {
        guard let member else { return confinement }
        let workspaces = member.grants.filter { $0.role.permissions.contains(permission) }.map(\.workspaceID)
        return workspaces.contains(nil) ? nil : Set(workspaces.compactMap(\.self))
    }

    /// Returns a member's strongest role in a workspace, or, for `nil`, in the whole organization.
    public func role(in workspace: UUID?) -> MemberRole? {
        let roles = (member?.grants ?? [])
            .filter { grant in workspace.map(grant.covers) ?? (grant.workspaceID == nil) }
            .map(\.role)
        return MemberRole.byStrength.first(where: roles.contains)
    }

    /// The workspaces that the credential is confined to, or `nil` if it reaches a whole organization.
    var confinement: Set<UUID>? {
        if case .workspaces(let own, _) = reach { own } else { nil }
    }

    // MARK: Client keys

    /// The client keys of a workspace that a principal reaches.
    public enum ClientKeyReach: Sendable, Hashable {
        /// The keys of all subjects.
        case all
        /// The keys of one subject.
        case subject(String)
    }

    /// Returns the client keys of a workspace that the principal can read or change.
    ///
    /// - Parameters:
    ///   - workspace: The workspace, which the principal reaches.
    ///   - permission: The permission that the call needs.
    ///   - subject: The only subject that the call is about, or `nil`.
    /// - Returns: All keys for a principal with the permission. A member, a client key and an application's session
    ///   reach their own.
    /// - Throws: `forbidden`, and `notFound` if a member or a client key names another subject.
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

    /// The permissions of members over their own client keys.
    private static let ownPermissions: PermissionSet = [.keysRead, .keysWrite, .eventsRead]

    /// Returns the subject of a member's own client keys in a workspace: the user's id.
    private func ownSubject(in workspace: UUID) -> String? {
        guard let member, member.grants.contains(where: { $0.covers(workspace) && $0.role == .member }) else {
            return nil
        }
        return UUIDv7.text(of: member.userID)
    }

    /// True if the principal has client keys of its own in any workspace.
    public var ownsClientKeys: Bool {
        member?.grants.contains { $0.role == .member } ?? false
    }
}
