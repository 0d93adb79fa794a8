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
    let platform: Platform

    init(_ platform: Platform) { self.platform = platform }

    /// Finds out who presents a credential.
    ///
    /// - Parameters:
    ///   - text: the token of an admin or operator key, or the access token of a member's session.
    ///   - address: where the request comes from; keys that are bound to addresses need it.
    ///   - isAgain: whether the request counted as a use already.
    /// - Returns: the principal.
    /// - Throws: `Refusal.unauthenticated` for everything that is not a good credential, `Refusal.limitReached` for a good one that was
    ///   used too often, `Refusal.unavailable` when nobody can tell.
    public func authenticate(
        _ text: String,
        from address: IPAddress?,
        isAgain: Bool = false
    ) async throws -> Principal {
        if AccessToken.isShaped(text) { return try await platform.sessions.authenticate(text) }
        guard let token = try? Token(text), token.parsed.workspaceRef.isRoot else { throw Refusal.unauthenticated }
        let digests = platform.secrets.peppers.digests(of: token)
        let found: FoundKey?
        do throws(PostgresError) {
            found = try await KeyLookup.find(digests, ref: .root, in: platform.databases.control.lookups)
        } catch {
            guard error.isUnreachable else { throw error }
            platform.logger.warning("the control database cannot be reached", metadata: ["error": "\(error)"])
            throw Refusal.unavailable
        }
        guard let found, let reach = Self.reach(found), Self.isUsable(found, from: address) else {
            throw Refusal.unauthenticated
        }
        if !isAgain { try count(found) }
        return Principal(
            keyID: found.state.keyID,
            secretID: found.state.secretID,
            name: found.name,
            reach: reach,
            permissions: found.permissions
        )
    }

    /// Counts a use of a good credential, in memory: nothing is written here.
    private func count(_ found: FoundKey) throws(Refusal) {
        let limits = found.state.rateLimits
        let limit = limits.isUnlimited ? nil : platform.limiter.use(found.state.keyID, limits)
        let isAllowed = limit?.isAllowed ?? true
        platform.usage.record(.control, found.state, isAllowed ? .valid : .rateLimited, at: found.readAt)
        if let limit, !isAllowed { throw .limitReached(limit) }
    }

    private static func reach(_ found: FoundKey) -> Principal.Reach? {
        switch (found.state.kind, found.organizationID) {
        case (.operator, nil): .platform
        case (.admin, let organization?): .organization(organization)
        default: nil
        }
    }

    private static func isUsable(_ found: FoundKey, from address: IPAddress?) -> Bool {
        found.state.status(at: found.readAt).isUsable && !found.state.secret.hasEnded(at: found.readAt)
            && found.state.allows(address: address)
    }

    /// The workspace that a request names by id or slug.
    ///
    /// - Parameters:
    ///   - name: the id, or the slug within the caller's organization.
    ///   - principal: who asks.
    ///   - isLeaving: whether one that is being deleted counts, too.
    /// - Returns: the workspace, whatever its state.
    /// - Throws: `Refusal.notFound` also when it belongs to somebody else.
    public func workspace(
        _ name: String,
        for principal: Principal,
        orLeaving isLeaving: Bool = false
    ) async throws -> Workspace {
        try await platform.databases.control.pool.withConnection { connection in
            let store = platform.controlStore(connection)
            let found: Workspace? =
                if let id = UUIDv7.parse(name) {
                    try await store.workspace(id)
                } else if let organization = principal.organizationID {
                    try await store.workspace(slug: name, organization: organization)
                } else { nil }
            guard let found, isLeaving || found.state != .deleting else { throw Refusal.notFound }
            try principal.requireReach(into: found.organizationID, workspace: found.id)
            return found
        }
    }

    /// The organization that a request names by id or slug.
    public func organization(_ name: String, for principal: Principal) async throws -> Organization {
        try await platform.databases.control.pool.withConnection { connection in
            let store = platform.controlStore(connection)
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

    /// Whose keys a principal may ask verdicts about.
    public func audience(of principal: Principal) throws(Refusal) -> Audience {
        guard let organization = principal.organizationID else {
            throw .forbiddenKind("Tokens are verified with an admin key, whose organization is the audience.")
        }
        try principal.require(.keysVerify)
        guard let member = principal.member else { return .organization(organization) }
        let places = member.grants.filter { $0.role.permissions.contains(.keysVerify) }.map(\.workspaceID)
        guard !places.contains(nil) else { return .organization(organization) }
        guard places.count == 1, let workspace = places[0] else {
            throw .forbiddenKind("Who may verify in several workspaces verifies with an admin key.")
        }
        return .workspace(workspace, of: organization)
    }
}

extension Principal {
    /// Refuses to hand on more than one has: whoever could make, rotate or change a stronger key would be as strong as it.
    func requireNoEscalation(_ permissions: PermissionSet, owner: KeyOwner) throws(Refusal) {
        guard case .organization = owner else { return }
        try requireEach(of: permissions)
    }

    /// Refuses unless the credential has all of these permissions itself; operator keys are exempt, for an organization that has nobody
    /// left gets in again by them.
    func requireEach(of permissions: PermissionSet) throws(Refusal) {
        guard reach != .platform, !self.permissions.isSuperset(of: permissions) else { return }
        for permission in permissions.permissions { try require(permission) }
    }

    /// Refuses a key of a workspace, which may change keys that are stronger than itself: rotation would hand it their tokens.
    func requireRotation() throws(Refusal) {
        guard workspaceKey == nil else { throw .forbiddenKind("A key cannot rotate another one.") }
    }
}
