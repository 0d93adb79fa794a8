public import FoundationEssentials
import KeyStore
public import Keys
import Postgres
public import Tenancy
import Verification

/// A key as it may see itself.
public struct IdentifiedKey: Sendable {
    /// The key.
    public let keyID: UUID
    /// Live or test.
    public let mode: KeyMode
    /// Its organization.
    public let organization: Organization
    /// Its workspace; `nil` for an admin key.
    public let workspace: Workspace?
}

extension AccessControl {
    /// Finds out which key of a workspace is presented, where nobody else vouches for it: the token itself says whose it is.
    ///
    /// It counts as a use. Which namespaces the key is for is not asked: what it says of itself, and client keys, are in none.
    ///
    /// - Parameters:
    ///   - text: the token of a service, anon or client key.
    ///   - address: where the request comes from; keys that are bound to addresses need it.
    ///   - isAgain: whether the request counted as a use already.
    ///   - permissions: what scopes allow, which is for the dialect to say whose scopes they are; by default nothing.
    /// - Returns: a principal that reaches the client keys of the key's workspace; of a client key, those of its subject.
    /// - Throws: `Refusal.unauthenticated` for everything that is not a good key, `Refusal.limitReached` for a good one that was used too
    ///   often, `WorkspaceUnreachable` when nobody can tell.
    public func authenticate(
        workspaceKey text: String,
        from address: IPAddress?,
        isAgain: Bool = false,
        permissions: (ScopeSet) -> PermissionSet = { _ in [] }
    ) async throws -> Principal {
        guard let token = try? Token(text),
            let facts = try await platform.databases.facts(ref: token.parsed.workspaceRef)
        else { throw Refusal.unauthenticated }
        var request = VerificationRequest(address: address)
        request.isOutsideNamespaces = true
        let verdict = try await platform.verifier.verify(
            text,
            request,
            audience: .workspace(facts.workspaceID, of: facts.organizationID),
            isCounted: !isAgain
        )
        if verdict.code == .rateLimited, let limit = verdict.rateLimit { throw Refusal.limitReached(limit) }
        guard verdict.code.isValid, let key = verdict.key else { throw Refusal.unauthenticated }
        return Principal(key, permissions: permissions(key.found.state.scopes))
    }

    /// What a key may learn about itself.
    ///
    /// - Throws: `Refusal.notFound` for what is no key of an organization or a workspace.
    public func identity(of principal: Principal) async throws -> IdentifiedKey {
        switch principal.identity {
        case .key(let presented): try await identity(of: presented, of: principal.organizationID)
        case .workspaceKey(let key): try await identity(of: key)
        case .member, .external, .system: throw Refusal.notFound
        }
    }

    private func identity(of presented: KeyIdentity, of organization: UUID?) async throws -> IdentifiedKey {
        guard let organization else { throw Refusal.notFound }
        return try await platform.databases.control.pool.withConnection { connection in
            let key = try await KeyStore(connection).find(presented.keyID, in: .organization(organization))
            let organization = try await platform.controlStore(connection).organization(organization)
            guard let key, let organization else { throw Refusal.notFound }
            return IdentifiedKey(keyID: key.id, mode: key.mode, organization: organization, workspace: nil)
        }
    }

    private func identity(of key: VerifiedKey) async throws -> IdentifiedKey {
        try await platform.databases.control.pool.withConnection { connection in
            let store = platform.controlStore(connection)
            let organization = try await store.organization(key.organizationID)
            let workspace = try await store.workspace(key.workspaceID)
            guard let organization, let workspace else { throw Refusal.notFound }
            let state = key.found.state
            return IdentifiedKey(keyID: state.keyID, mode: state.mode, organization: organization, workspace: workspace)
        }
    }
}
