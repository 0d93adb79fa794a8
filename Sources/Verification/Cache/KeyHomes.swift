import Fence
import FoundationEssentials
import Keys
import Locks
import Tenancy

/// The homes of keys that were verified: the facts of a workspace, its peppers and its fences, found with one look into memory.
///
/// The owner is part of the key, so the reference of another owner's workspace misses and is looked up, as one that was never assigned.
final class KeyHomes: Sendable {
    private struct Name: Hashable {
        let organizationID: UUID
        let ref: WorkspaceRef
    }

    /// The number of workspaces at which the map is emptied.
    ///
    /// An entry takes some 500 bytes.
    private static let maximum = 16_384

    private let databases: Databases
    private let ring: PepperRing
    private let known = ReadMostlyMap<Name, KeyHome>()
    private let limiter: UseLimiter
    private let limits = ReadMostlyMap<ObjectIdentifier, SharedLimits>()

    init(_ databases: Databases, _ ring: PepperRing, _ limiter: UseLimiter) {
        self.databases = databases
        self.ring = ring
        self.limiter = limiter
    }

    /// Returns the home of the keys of an organization's workspace, if this node knows it.
    func known(_ ref: WorkspaceRef, of organizationID: UUID) -> KeyHome? {
        known[Name(organizationID: organizationID, ref: ref)]
    }

    /// Returns the home of the keys of an organization's workspace, or `nil` if it does not exist.
    ///
    /// - Throws: The control database's errors, and `closed` after the shutdown.
    func home(_ ref: WorkspaceRef, of organizationID: UUID) async throws -> KeyHome? {
        if let known = known(ref, of: organizationID) { return known }
        guard let facts = try await databases.facts(ref: ref, organization: organizationID) else { return nil }
        return insert(try await home(of: facts), Name(organizationID: organizationID, ref: ref))
    }

    private static let rootName = Name(organizationID: Workspace.rootID, ref: .root)

    /// The home of admin and operator keys, if this node knows it.
    var knownRoot: KeyHome? { known[Self.rootName] }

    /// The home of admin and operator keys.
    func root() async throws -> KeyHome {
        if let known = knownRoot { return known }
        return insert(try await home(of: nil), Self.rootName)
    }

    private func home(of workspace: WorkspaceFacts?) async throws -> KeyHome {
        // All workspaces of a cluster have one exchange, and so one queue.
        let exchange =
            if let workspace { try await databases.limits(for: workspace) } else { try databases.primaryLimits() }
        return KeyHome(
            workspace,
            peppers: ring.peppers(of: workspace?.ref ?? .root),
            keeper: try await databases.keeper(for: workspace),
            limits: limits.insert(SharedLimits(limiter) { exchange }, for: ObjectIdentifier(exchange))
        )
    }

    /// Removes all homes, after this node has left a cluster.
    ///
    /// A home keeps the keeper that it began with. A cluster that is added again has another one.
    func removeAll() { known.removeAll() }

    private func insert(_ home: KeyHome, _ name: Name) -> KeyHome {
        if known.count >= Self.maximum { known.removeAll() }
        let present = known.insert(home, for: name)
        // After the insertion: either `removeAll` removes this home, or this call sees that its cluster was left.
        if present.keeper.view.hasLeft { known.removeValue(for: name) }
        return present
    }
}
