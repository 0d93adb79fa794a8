public import FoundationEssentials
import KeyStore
public import Keys
import Postgres
public import Tenancy
import Verification

/// A key as it can see itself.
public struct IdentifiedKey: Sendable {
    /// The key.
    public let keyID: UUID
    /// The mode, live or test.
    public let mode: KeyMode
    /// The key's organization.
    public let organization: Organization
    /// The key's workspace; `nil` for an admin key.
    public let workspace: Workspace?
}

extension AccessControl {
    /// Returns the facts about itself that a key may read.
    ///
    /// - Throws: `Refusal.notFound` for a principal that is no key of an organization or a workspace.
    public func identity(of principal: Principal) async throws -> IdentifiedKey {
        switch principal.identity {
        case .key(let presented): try await identity(of: presented, of: principal.organizationID)
        case .workspaceKey(let key): try await identity(of: key)
        case .member, .external, .system: throw Refusal.notFound
        }
    }

    private func identity(of presented: KeyIdentity, of organization: UUID?) async throws -> IdentifiedKey {
        guard let organization else { throw Refusal.notFound }
        return try await context.withConnection(to: nil) { connection in
            let key = try await KeyStore(connection).find(presented.keyID, in: .organization(organization))
            let organization = try await ControlStore(connection).organization(organization)
            guard let key, let organization else { throw Refusal.notFound }
            return IdentifiedKey(keyID: key.id, mode: key.mode, organization: organization, workspace: nil)
        }
    }

    private func identity(of key: VerifiedKey) async throws -> IdentifiedKey {
        try await context.readControl { store in
            let organization = try await store.organization(key.organizationID)
            let workspace = try await store.workspace(key.workspaceID)
            guard let organization, let workspace else { throw Refusal.notFound }
            let state = key.found.state
            return IdentifiedKey(keyID: state.keyID, mode: state.mode, organization: organization, workspace: workspace)
        }
    }
}
