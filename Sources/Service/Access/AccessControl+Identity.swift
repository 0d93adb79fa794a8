public import FoundationEssentials
import KeyStore
public import Keys
import Postgres
public import Tenancy
public import Verification

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
    /// It counts as a use. What the key is for is not asked: a limit that is reached or a namespace that is missing makes it no other key.
    ///
    /// - Parameters:
    ///   - text: the token of a service, anon or client key.
    ///   - address: where the request comes from; keys that are bound to addresses need it.
    /// - Returns: the key.
    /// - Throws: `Refusal.unauthenticated` for everything that is not a good key, `WorkspaceUnreachable` when nobody can tell.
    public func identify(_ text: String, from address: IPAddress?) async throws -> VerifiedKey {
        guard let token = try? Token(text),
            let facts = try await self.platform.databases.facts(ref: token.parsed.workspaceRef)
        else { throw Refusal.unauthenticated }
        let verdict = try await self.platform.verifier.verify(
            text,
            VerificationRequest(address: address),
            audience: .workspace(facts.workspaceID, of: facts.organizationID)
        )
        switch verdict.code {
        case .valid, .rateLimited, .wrongNamespace, .wrongMode, .insufficientScope:
            guard let key = verdict.key else { throw Refusal.unauthenticated }
            return key
        default: throw Refusal.unauthenticated
        }
    }

    /// What an admin key may learn about itself.
    public func identity(of principal: Principal) async throws -> IdentifiedKey {
        guard case .key(let presented) = principal.identity, let id = principal.organizationID else {
            throw Refusal.notFound
        }
        return try await self.platform.databases.control.pool.withConnection { connection in
            let key = try await KeyStore(connection).find(presented.keyID, in: .organization(id))
            let organization = try await self.platform.controlStore(connection).organization(id)
            guard let key, let organization else { throw Refusal.notFound }
            return IdentifiedKey(keyID: key.id, mode: key.mode, organization: organization, workspace: nil)
        }
    }

    /// What a key of a workspace may learn about itself.
    public func identity(of key: VerifiedKey) async throws -> IdentifiedKey {
        try await self.platform.databases.control.pool.withConnection { connection in
            let store = self.platform.controlStore(connection)
            let organization = try await store.organization(key.organizationID)
            let workspace = try await store.workspace(key.workspaceID)
            guard let organization, let workspace else { throw Refusal.notFound }
            let state = key.found.state
            return IdentifiedKey(keyID: state.keyID, mode: state.mode, organization: organization, workspace: workspace)
        }
    }
}
