public import FoundationEssentials
import KeyStore
public import Keys
public import People
public import Verification

/// The authenticated sender of a request, and how far its credential reaches.
public struct Principal: Sendable {
    /// The credential that was presented.
    public enum Identity: Sendable {
        /// An admin or operator key.
        case key(KeyIdentity)
        /// A member's session.
        case member(MemberIdentity)
        /// A key of a workspace, which manages client keys there.
        case workspaceKey(VerifiedKey)
        /// A session of an organization's own application, which a session issuer vouches for.
        case external(ExternalSession)
        /// The program itself. No credential is of this kind.
        case system
    }

    /// The reach of a credential.
    public enum Reach: Sendable, Hashable {
        /// Organizations, workspaces, clusters and migrations, but not the keys inside a workspace.
        case platform
        /// One organization and everything in it.
        case organization(UUID)
        /// Some workspaces of one organization.
        case workspaces(Set<UUID>, of: UUID)
    }

    /// The credential that was presented.
    public let identity: Identity
    /// The credential's reach.
    public let reach: Reach
    /// The most that the credential can do.
    ///
    /// A member can do it in some workspaces only, which `require(_:in:)` decides.
    public let permissions: PermissionSet

    /// Creates the principal of an admin or operator key.
    package init(
        keyID: UUID,
        secretID: UUID,
        name: String,
        reach: Reach,
        permissions: PermissionSet,
        bounds: KeyBounds
    ) {
        identity = .key(KeyIdentity(keyID: keyID, secretID: secretID, name: name, bounds: bounds))
        self.reach = reach
        self.permissions = permissions
    }

    /// Creates the principal of a member's session, or `nil` for a user without a role in the organization.
    init?(_ session: SessionRecord) {
        let grants = session.memberships.map { Grant(workspaceID: $0.workspaceID, role: $0.role) }
        guard !grants.isEmpty else { return nil }
        identity = .member(
            MemberIdentity(
                userID: session.user.id,
                sessionID: session.id,
                email: session.user.email,
                name: session.user.name,
                grants: grants
            )
        )
        reach =
            grants.contains { $0.workspaceID == nil }
            ? .organization(session.organizationID)
            : .workspaces(Set(grants.compactMap(\.workspaceID)), of: session.organizationID)
        permissions = PermissionSet(grants.flatMap(\.role.permissions.permissions))
    }

    /// Creates the principal of a key of a workspace.
    init(_ key: VerifiedKey, permissions: PermissionSet) {
        identity = .workspaceKey(key)
        reach = .workspaces([key.workspaceID], of: key.organizationID)
        self.permissions = permissions
    }

    /// Creates the principal of an application's session.
    ///
    /// It has no permission and reaches nothing but its own client keys.
    init(_ session: ExternalSession) {
        identity = .external(session)
        reach = .organization(session.organizationID)
        permissions = []
    }

    private init(system: Void) {
        identity = .system
        reach = .platform
        permissions = [.platform]
    }

    /// The program itself, for changes that no caller decided: a first start, and the reaction to a leaked token.
    static let system = Principal(system: ())

    /// The name of the principal in events and for `Idempotency-Key`.
    public var actor: String {
        switch (identity, reach) {
        case (.system, _): Attribution.system.actor
        case (.key(let key), .platform): ActorKind.operatorKey.actor(key.keyID)
        case (.key(let key), _): ActorKind.adminKey.actor(key.keyID)
        case (.workspaceKey(let key), _): key.actor
        case (.member(let member), _): ActorKind.member.actor(member.userID)
        case (.external(let session), _): ActorKind.session.actor(session.userID)
        }
    }

    /// The organization of the credential; `nil` for operator keys.
    public var organizationID: UUID? {
        switch reach {
        case .platform: nil
        case .organization(let id), .workspaces(_, of: let id): id
        }
    }

    /// The key of a workspace, if the credential is one.
    var workspaceKey: VerifiedKey? {
        if case .workspaceKey(let key) = identity { key } else { nil }
    }

    /// The member, if the credential is a member's session.
    public var member: MemberIdentity? {
        if case .member(let member) = identity { member } else { nil }
    }
}

/// An admin or operator key that was presented.
public struct KeyIdentity: Sendable {
    /// The key.
    public let keyID: UUID
    /// The secret of the presented token.
    public let secretID: UUID
    /// The key's name.
    public let name: String
    /// The bounds of what the key hands on.
    let bounds: KeyBounds
}

/// A member whose session was presented.
public struct MemberIdentity: Sendable {
    /// The user.
    public let userID: UUID
    /// The session.
    public let sessionID: UUID
    /// The user's address.
    public let email: String
    /// The user's name.
    public let name: String?
    /// The user's roles in the session's organization.
    public let grants: [Grant]
}

/// A role and the place where it holds.
public struct Grant: Sendable, Hashable {
    /// The workspace, or `nil` for the whole organization.
    public let workspaceID: UUID?
    /// The role.
    public let role: MemberRole

    /// Returns true if the role holds in a workspace.
    func covers(_ workspace: UUID) -> Bool { workspaceID == nil || workspaceID == workspace }
}

extension VerifiedKey {
    /// The key's name as an actor.
    fileprivate var actor: String {
        let kind: ActorKind = found.state.kind == .client ? .clientKey : .serviceKey
        return kind.actor(found.state.keyID)
    }
}
