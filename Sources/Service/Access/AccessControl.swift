public import FoundationEssentials
import KeyStore
public import Keys
import Postgres
public import Tenancy
import Traces
public import Verification

/// Authenticates callers, and resolves the organizations, workspaces and keys that a request names.
///
/// Every access to a workspace or to keys goes through here, so "not yours" and "does not exist" are the same answer.
public final class AccessControl: Sendable {
    let context: ServiceDependencies
    private let sessions: SessionService

    init(_ context: ServiceDependencies, sessions: SessionService) {
        self.context = context
        self.sessions = sessions
    }

    // MARK: Authentication

    /// Authenticates a caller by an admin key, an operator key or a member's session.
    ///
    /// - Parameters:
    ///   - text: The token of an admin or operator key, or the access token of a member's session.
    ///   - address: The client's address. Keys that are bound to addresses need it.
    ///   - isRepeated: True if the request was authenticated and counted before.
    /// - Returns: The principal.
    /// - Throws: `Refusal.unauthenticated` for every credential that is not good, `Refusal.limitReached` for a good one
    ///   that was used too often, `Refusal.directoryUnavailable` if the control database cannot be reached.
    public func authenticate(
        _ text: String,
        from address: IPAddress?,
        isRepeated: Bool = false
    ) async throws -> Principal {
        guard let token = try? Token(text) else {
            guard AccessToken.isShaped(text) else { throw Refusal.unauthenticated }
            return try await sessions.authenticate(text)
        }
        guard token.parsed.workspaceRef.isRoot else { throw Refusal.unauthenticated }
        guard let reading = try await context.rootKey(token), let reach = Self.reach(reading.key),
            Self.isUsable(reading, from: address)
        else { throw Refusal.unauthenticated }
        if !isRepeated { try await count(reading, from: address) }
        return Self.principal(reading.key, reach)
    }

    /// Authenticates a caller by an admin or operator key in memory, without a wait.
    ///
    /// It is the common case of ``authenticate(_:from:isRepeated:)``, which has the parameters, and judges whatever is not common.
    ///
    /// - Returns: The principal, or `nil` if the key is not in memory, is not good or has limits.
    public func authenticateInMemory(_ text: String, from address: IPAddress?, isRepeated: Bool) -> Principal? {
        // No token of a key has the form of an access token.
        guard let home = context.rootInMemory, let token = try? Token(text), token.parsed.workspaceRef.isRoot,
            let reading = context.rootKey(token, inMemoryOf: home), let reach = Self.reach(reading.key),
            Self.isUsable(reading, from: address), reading.key.state.rateLimits.isUnlimited
        else { return nil }
        if !isRepeated { context.usage.record(.control, reading.key.state, .valid, at: reading.now, from: address) }
        return Self.principal(reading.key, reach)
    }

    /// Returns the principal of a good key.
    static func principal(_ found: FoundKey, _ reach: Principal.Reach) -> Principal {
        Principal(
            keyID: found.state.keyID,
            secretID: found.state.secretID,
            name: found.name,
            reach: reach,
            permissions: found.permissions,
            bounds: KeyBounds(found.state)
        )
    }

    /// Counts a use of a good credential, in memory.
    private func count(_ reading: KeyReading, from address: IPAddress?) async throws {
        let found = reading.key
        let limits = found.state.rateLimits
        let limit =
            limits.isUnlimited
            ? nil : try await context.verifier.keys.root().limits.useWaiting(found.limitID, limits)
        let isAllowed = limit?.isAllowed ?? true
        context.usage.record(
            .control,
            found.state,
            isAllowed ? .valid : .rateLimited,
            at: reading.now,
            from: address
        )
        if let limit, !isAllowed { throw Refusal.limitReached(limit) }
    }

    private static func reach(_ found: FoundKey) -> Principal.Reach? {
        switch (found.state.kind, found.organizationID) {
        case (.operator, nil): .platform
        case (.admin, let organization?): .organization(organization)
        default: nil
        }
    }

    /// Returns true if a key and its presented secret are good for a caller at an address.
    static func isUsable(_ reading: KeyReading, from address: IPAddress?) -> Bool {
        let state = reading.key.state
        return state.status(at: reading.now).isUsable && !state.secret.hasEnded(at: reading.now)
            && state.allows(address: address)
    }

    /// Authenticates a caller by a key of a workspace, which no other credential vouches for.
    ///
    /// The token names its workspace.
    ///
    /// The call counts as a use. Namespaces do not matter: the key's own record and client keys belong to none.
    ///
    /// - Parameters:
    ///   - text: The token of a service, anon or client key.
    ///   - address: The client's address. Keys that are bound to addresses need it.
    ///   - isRepeated: True if the request was authenticated and counted before.
    ///   - permissions: Returns the permissions that scopes stand for in the dialect; none by default.
    /// - Returns: A principal that reaches the client keys of the key's workspace, or of its subject for a client key.
    /// - Throws: `Refusal.unauthenticated` for every key that is not good, `Refusal.limitReached` for a good one that
    ///   was used too often, `WorkspaceUnreachable` if the workspace's database is unavailable.
    public func authenticate(
        workspaceKey text: String,
        from address: IPAddress?,
        isRepeated: Bool = false,
        permissions: (ScopeSet) -> PermissionSet = { _ in [] }
    ) async throws -> Principal {
        guard let token = try? Token(text),
            let facts = try await context.databases.facts(ref: token.parsed.workspaceRef)
        else { throw Refusal.unauthenticated }
        var request = VerificationRequest(address: address)
        request.isOutsideNamespaces = true
        let verdict = try await context.verifier.verify(
            text,
            request,
            audience: .workspace(facts.workspaceID, of: facts.organizationID),
            use: isRepeated ? .countedBefore : .counted
        )
        if verdict.code == .rateLimited, let limit = verdict.rateLimit { throw Refusal.limitReached(limit) }
        guard verdict.code.isValid, let key = verdict.key else { throw Refusal.unauthenticated }
        return Principal(key, permissions: permissions(key.found.state.scopes))
    }

    /// Returns the audience of a principal's verifications.
    public func audience(of principal: Principal) throws(Refusal) -> Audience {
        guard let organization = principal.organizationID else {
            throw .forbiddenKind("A verification needs an admin key, whose organization is the audience.")
        }
        try principal.require(.keysVerify)
        guard let workspaces = principal.workspaces(with: .keysVerify) else { return .organization(organization) }
        guard workspaces.count == 1, let workspace = workspaces.first else {
            throw .forbiddenKind("A member who can verify in several workspaces needs an admin key to verify.")
        }
        return .workspace(workspace, of: organization)
    }

    // MARK: Resolution

    /// Returns the workspace that a request names by id or slug.
    ///
    /// - Parameters:
    ///   - name: The id, or the slug within the caller's organization.
    ///   - principal: The principal that sent the request.
    ///   - includesDeleting: True to return a workspace that is being deleted, too.
    /// - Returns: The workspace, whatever its state.
    /// - Throws: `Refusal.notFound`, also if the workspace is out of the principal's reach.
    public func workspace(
        _ name: String,
        for principal: Principal,
        includingDeleting includesDeleting: Bool = false
    ) async throws -> Workspace {
        try await context.readControl { store in
            let found: Workspace? =
                if let id = UUIDv7.parse(name) {
                    try await store.workspace(id)
                } else if let organization = principal.organizationID {
                    try await store.workspace(slug: name, organization: organization)
                } else { nil }
            guard let found, includesDeleting || found.state != .deleting else { throw Refusal.notFound }
            try principal.requireReach(into: found.organizationID, workspace: found.id)
            RequestTrail.current?.note(workspaceID: UUIDv7.text(of: found.id))
            return found
        }
    }

    /// Throws for a workspace of another organization that the member `workspace_id` of a body names, and for one out of the principal's
    /// reach.
    ///
    /// The two have the same answer.
    func requireWorkspace(_ id: UUID, of organization: UUID, for principal: Principal) async throws {
        do {
            let found = try await workspace(UUIDv7.text(of: id), for: principal)
            guard found.organizationID == organization else { throw Refusal.notFound }
        } catch Refusal.notFound {
            let detail = "Must be a workspace of the organization."
            throw Refusal.invalid([InvalidField(pointer: "/workspace_id", detail: detail)])
        }
    }

    /// Returns the workspace that a request names by id or slug, or the organization's default workspace.
    ///
    /// - Throws: `Refusal.notFound`, also if the workspace is out of the principal's reach or there is no default.
    public func workspace(orDefault name: String?, for principal: Principal) async throws -> Workspace {
        if let name { return try await workspace(name, for: principal) }
        guard let organization = principal.organizationID else { throw Refusal.notFound }
        let found = try await context.readControl { try await $0.defaultWorkspace(of: organization) }
        guard let found, found.state != .deleting else { throw Refusal.notFound }
        try principal.requireReach(into: organization, workspace: found.id)
        RequestTrail.current?.note(workspaceID: UUIDv7.text(of: found.id))
        return found
    }

    /// Returns the workspace of a request that names none, or `nil` if there is none.
    public func homeWorkspace(of principal: Principal) async throws -> UUID? {
        guard let organization = principal.organizationID else { return nil }
        return try await context.readControl {
            try await $0.fallbackWorkspace(of: organization, among: principal.confinement)
        }
    }

    /// Returns the organization that a request names by id or slug.
    ///
    /// - Throws: `Refusal.notFound`, also if the organization is out of the principal's reach.
    public func organization(_ name: String, for principal: Principal) async throws -> Organization {
        try await context.readControl { store in
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
}
