import FoundationEssentials
import KeyStore
public import Keys
import Logging
import Postgres
public import Tenancy
public import Verification

/// Who asks, and what they may reach.
///
/// Every way into a workspace or to a set of keys goes through here, so that "not yours" and "not there" are the same answer.
public struct AccessControl: Sendable {
    private let platform: Platform

    init(_ platform: Platform) { self.platform = platform }

    /// Finds out who presents a credential.
    ///
    /// - Parameters:
    ///   - text: the token of an admin or operator key.
    ///   - address: where the request comes from; keys that are bound to addresses need it.
    /// - Returns: the principal.
    /// - Throws: `Refusal.unauthenticated` for everything that is not a good credential, `Refusal.unavailable` when nobody can tell.
    public func authenticate(_ text: String, from address: IPAddress?) async throws -> Principal {
        guard let token = try? Token(text), token.parsed.workspaceRef.isRoot else { throw Refusal.unauthenticated }
        let digests = self.platform.secrets.peppers.digests(of: token)
        let found: FoundKey?
        do throws(PostgresError) {
            found = try await KeyLookup.find(digests, ref: .root, in: self.platform.databases.control.lookups)
        } catch {
            guard error.isUnreachable else { throw error }
            self.platform.logger.warning("the control database cannot be reached", metadata: ["error": "\(error)"])
            throw Refusal.unavailable
        }
        guard let found, let reach = Self.reach(found), Self.isUsable(found, from: address) else {
            throw Refusal.unauthenticated
        }
        return Principal(
            keyID: found.state.keyID,
            secretID: found.state.secretID,
            name: found.name,
            reach: reach,
            permissions: found.permissions
        )
    }

    private static func reach(_ found: FoundKey) -> Principal.Reach? {
        switch (found.state.kind, found.organizationID) {
        case (.operator, nil): .platform
        case (.admin, let organization?): .organization(organization)
        default: nil
        }
    }

    private static func isUsable(_ found: FoundKey, from address: IPAddress?) -> Bool {
        switch found.state.status(at: found.readAt) {
        case .active, .deprecated: break
        case .disabled, .expired, .revoked: return false
        }
        return !found.state.secret.hasEnded(at: found.readAt) && found.state.allows(address: address)
    }

    /// The workspace that a request names by id or slug.
    ///
    /// - Throws: `Refusal.notFound` also when it belongs to somebody else.
    public func workspace(_ name: String, for principal: Principal) async throws -> Workspace {
        try await self.platform.databases.control.pool.withConnection { connection in
            let store = self.platform.controlStore(connection)
            let found: Workspace? =
                if let id = UUIDv7.parse(name) {
                    try await store.workspace(id)
                } else if let organization = principal.organizationID {
                    try await store.workspace(slug: name, organization: organization)
                } else { nil }
            guard let found, found.state != .deleting else { throw Refusal.notFound }
            try principal.requireReach(into: found.organizationID)
            return found
        }
    }

    /// The organization that a request names by id or slug.
    public func organization(_ name: String, for principal: Principal) async throws -> Organization {
        try await self.platform.databases.control.pool.withConnection { connection in
            let store = self.platform.controlStore(connection)
            let found =
                if let id = UUIDv7.parse(name) {
                    try await store.organization(id)
                } else {
                    try await store.organization(slug: name)
                }
            guard let found else { throw Refusal.notFound }
            try principal.requireReach(into: found.id)
            return found
        }
    }

    /// The keys inside a workspace, which no operator key reaches.
    public func keys(ofWorkspace name: String, for principal: Principal, _ permission: Permission) async throws
        -> KeyHome
    {
        guard principal.reach != .platform else {
            throw Refusal.forbiddenKind("The keys inside a workspace need an admin key of its organization.")
        }
        let workspace = try await self.workspace(name, for: principal)
        try principal.require(permission)
        let organization = try await self.organization(UUIDv7.text(of: workspace.organizationID), for: principal)
        return KeyHome(owner: .workspace(workspace, tokenPrefix: organization.tokenPrefix.flatMap(TokenPrefix.init)))
    }

    /// The admin keys of an organization: for itself, and for the platform, which must be able to let an organization back in.
    public func keys(ofOrganization name: String, for principal: Principal, _ permission: Permission) async throws
        -> KeyHome
    {
        let organization = try await self.organization(name, for: principal)
        try principal.require(principal.reach == .platform ? .platform : permission)
        return KeyHome(owner: .organization(organization.id))
    }

    /// The operator keys.
    public func keysOfPlatform(for principal: Principal) throws(Refusal) -> KeyHome {
        try principal.requirePlatform(.platform)
        return KeyHome(owner: .platform)
    }

    /// Whose keys a principal may ask verdicts about.
    public func audience(of principal: Principal) throws(Refusal) -> Audience {
        guard let organization = principal.organizationID else {
            throw .forbiddenKind("Tokens are verified with an admin key, whose organization is the audience.")
        }
        try principal.require(.keysVerify)
        return .organization(organization)
    }
}

extension Principal {
    /// Refuses to hand on more than one has: whoever could make, rotate or change a stronger key would be as strong as it.
    func requireNoEscalation(_ permissions: PermissionSet, owner: KeyOwner) throws(Refusal) {
        guard case .organization = owner, self.reach != .platform else { return }
        for permission in permissions.permissions where !self.permissions.contains(permission) {
            throw .forbidden(permission)
        }
    }
}
