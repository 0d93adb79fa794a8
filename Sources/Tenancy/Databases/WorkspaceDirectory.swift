import FoundationEssentials
import KeyStore
import Keys
import Locks
import Postgres

/// The facts of workspaces and clusters, cached for ever: facts do not change, and references are not used twice.
///
/// A workspace that was not found is not cached, because another node can create it at the next moment. States are
/// never cached.
final class WorkspaceDirectory: Sendable {
    private struct Owned: Hashable {
        let organizationID: UUID
        let ref: WorkspaceRef
    }

    private let lookups: PostgresPipeline
    private let knownByRef = ReadMostlyMap<Owned, WorkspaceFacts>()
    private let knownByID = ReadMostlyMap<UUID, WorkspaceFacts>()

    init(_ lookups: PostgresPipeline) {
        self.lookups = lookups
    }

    private static let select = "SELECT \(Workspace.columns("w")) FROM control.workspaces w"
    /// A workspace that is being created or deleted has no usable database.
    private static let exists = "w.state NOT IN ('creating', 'deleting')"
    private static let byRef = Statement("\(select) WHERE w.ref = $1 AND w.organization_id = $2 AND \(exists)")
    private static let byRefOfAnyone = Statement("\(select) WHERE w.ref = $1 AND \(exists)")
    private static let byID = Statement("\(select) WHERE w.id = $1 AND \(exists)")
    private static let clusterByID = Statement("SELECT \(Cluster.columns) FROM control.clusters WHERE id = $1")
    private static let clustersByID = Statement("SELECT id FROM control.clusters WHERE id = ANY ($1)")

    /// Returns an organization's workspace by its reference.
    ///
    /// The organization is part of the key: the reference of another organization's workspace misses, is looked up and
    /// not found, exactly as one that was never assigned.
    func facts(ref: WorkspaceRef, organization: UUID) async throws(PostgresError) -> WorkspaceFacts? {
        if let known = knownByRef[Owned(organizationID: organization, ref: ref)] { return known }
        return try await read(Self.byRef, [ref.text, organization])
    }

    /// Returns a workspace of any organization by its reference, for a token that no other credential vouches for.
    func facts(ref: WorkspaceRef) async throws(PostgresError) -> WorkspaceFacts? {
        try await read(Self.byRefOfAnyone, [ref.text])
    }

    /// Returns a workspace by its id, if it is in memory.
    func known(_ id: UUID) -> WorkspaceFacts? { knownByID[id] }

    /// Returns a workspace by its id.
    func facts(id: UUID) async throws(PostgresError) -> WorkspaceFacts? {
        if let known = knownByID[id] { return known }
        return try await read(Self.byID, [id])
    }

    /// Returns true if a workspace has been deleted, or is being deleted.
    func isGone(_ id: UUID) async throws(PostgresError) -> Bool {
        try await lookups.query(Self.byID, [id]).isEmpty
    }

    /// Reads a cluster.
    func cluster(_ id: UUID) async throws -> Cluster {
        guard let row = try await lookups.query(Self.clusterByID, [id]).first else {
            throw TenancyError.unknownCluster
        }
        return try Cluster(row: row)
    }

    /// Returns those of some clusters that belong to the installation.
    func clusters(among ids: Set<UUID>) async throws -> Set<UUID> {
        Set(try await lookups.query(Self.clustersByID, [Array(ids)]).map { try $0.decode(0, as: UUID.self) })
    }

    /// Removes the workspaces of a cluster that was removed.
    func removeWorkspaces(on clusterID: UUID) {
        for (id, facts) in knownByID.entries where facts.clusterID == clusterID { remove(id) }
    }

    /// Removes a workspace that was deleted.
    func remove(_ id: UUID) {
        guard let facts = knownByID.removeValue(for: id) else { return }
        knownByRef.removeValue(for: Owned(organizationID: facts.organizationID, ref: facts.ref))
    }

    private func read(
        _ statement: Statement,
        _ parameters: [any PostgresEncodable]
    ) async throws(PostgresError) -> WorkspaceFacts? {
        guard let row = try await lookups.query(statement, parameters).first else { return nil }
        let facts = try Workspace(row: row).facts
        knownByID.insert(facts, for: facts.workspaceID)
        knownByRef.insert(facts, for: Owned(organizationID: facts.organizationID, ref: facts.ref))
        return facts
    }
}
