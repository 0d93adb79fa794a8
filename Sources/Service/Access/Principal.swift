public import FoundationEssentials
public import Keys
public import People
import Tenancy
public import Verification

/// Who asks, after authentication.
public struct Principal: Sendable {
    /// What was presented.
    public enum Identity: Sendable {
        /// An admin or operator key.
        case key(KeyIdentity)
        /// A member's session.
        case member(MemberIdentity)
        /// A key of a workspace, which manages client keys there.
        case workspaceKey(VerifiedKey)
        /// A session of an organization's own application, which a session issuer vouches for.
        case external(ExternalSession)
        /// The program itself, which no credential can be.
        case system
    }

    /// How far the credential reaches.
    public enum Reach: Sendable, Hashable {
        /// Organizations, workspaces, clusters and migrations, but not the keys inside a workspace.
        case platform
        /// One organization and everything in it.
        case organization(UUID)
        /// Some workspaces of one organization.
        case workspaces(Set<UUID>, of: UUID)
    }

    /// What was presented.
    public let identity: Identity
    /// How far it reaches.
    public let reach: Reach
    /// What it may do at the most; members may do it only in some workspaces, which `require(_:in:)` knows.
    public let permissions: PermissionSet

    /// Describes a key that asks.
    public init(keyID: UUID, secretID: UUID, name: String, reach: Reach, permissions: PermissionSet) {
        identity = .key(KeyIdentity(keyID: keyID, secretID: secretID, name: name))
        self.reach = reach
        self.permissions = permissions
    }

    /// Describes a member who asks, or nobody without a role in the organization.
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

    /// Describes a key of a workspace that asks.
    init(_ key: VerifiedKey, permissions: PermissionSet) {
        identity = .workspaceKey(key)
        reach = .workspaces([key.workspaceID], of: key.organizationID)
        self.permissions = permissions
    }

    /// Describes a session of an application that asks: it has no permission here, and comes to nothing but its own client keys.
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

    /// The program itself, for what nobody asked for: a first start.
    static let system = Principal(system: ())

    /// How events and idempotency name it.
    public var actor: String {
        switch (identity, reach) {
        case (.system, _): "system"
        case (.key(let key), .platform): "operator-key:\(UUIDv7.text(of: key.keyID))"
        case (.key(let key), _): "admin-key:\(UUIDv7.text(of: key.keyID))"
        case (.workspaceKey(let key), _): key.actor
        case (.member(let member), _): "member:\(UUIDv7.text(of: member.userID))"
        case (.external(let session), _): "session:\(session.userID)"
        }
    }

    /// The organization of an admin key, a member or a session.
    public var organizationID: UUID? {
        switch reach {
        case .platform: nil
        case .organization(let id), .workspaces(_, of: let id): id
        }
    }

    /// The key of a workspace, where it is one.
    var workspaceKey: VerifiedKey? {
        if case .workspaceKey(let key) = identity { key } else { nil }
    }

    /// The member, where it is one.
    public var member: MemberIdentity? {
        if case .member(let member) = identity { member } else { nil }
    }
}

/// A key that was presented.
public struct KeyIdentity: Sendable {
    /// The key.
    public let keyID: UUID
    /// Its secret.
    public let secretID: UUID
    /// Its name.
    public let name: String
}

/// A member whose session was presented.
public struct MemberIdentity: Sendable {
    /// The user.
    public let userID: UUID
    /// The session.
    public let sessionID: UUID
    /// The user's address.
    public let email: String
    /// What people call the user.
    public let name: String?
    /// What the user may do where, in the session's organization.
    public let grants: [Grant]
}

/// A role and where it holds.
public struct Grant: Sendable, Hashable {
    /// The workspace, or `nil` for the whole organization.
    public let workspaceID: UUID?
    /// The role.
    public let role: MemberRole

    /// Whether it holds in a workspace.
    func covers(_ workspace: UUID) -> Bool { workspaceID == nil || workspaceID == workspace }
}
