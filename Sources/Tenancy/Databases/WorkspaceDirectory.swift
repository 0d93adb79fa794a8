import FoundationEssentials
import Keys
import Postgres
import Synchronization

/// Who is who among workspaces, remembered for ever: facts do not change and refs are not used twice.
///
/// What is not found is not remembered, since another node may make it in the next moment. States are never remembered.
final class WorkspaceDirectory: Sendable {
    private struct Owned: Hashable {
        let organizationID: UUID
        let ref: WorkspaceRef
    }

    private struct State {
        var byRef: [Owned: WorkspaceFacts] = [:]
        var byID: [UUID: WorkspaceFacts] = [:]
        var clusters: [UUID: Cluster] = [:]
    }

    private let lookups: PostgresPipeline
    private let state = Mutex(State())

    init(_ lookups: PostgresPipeline) {
        self.lookups = lookups
    }

    private static let select = "SELECT \(Workspace.columns("w")) FROM control.workspaces w"
    /// A workspace that is being made or removed has no database to speak of.
    private static let exists = "w.state NOT IN ('creating', 'deleting')"
    private static let byRef = Statement("\(select) WHERE w.ref = $1 AND w.organization_id = $2 AND \(exists)")
    private static let byRefOfAnybody = Statement("\(select) WHERE w.ref = $1 AND \(exists)")
    private static let byID = Statement("\(select) WHERE w.id = $1 AND \(exists)")
    private static let clusterByID = Statement("SELECT \(Cluster.columns) FROM control.clusters WHERE id = $1")

    /// The organization is part of the question: the ref of another's workspace misses, is asked for and not found, exactly as one
    /// that was never given out.
    func facts(ref: WorkspaceRef, organization: UUID) async throws(PostgresError) -> WorkspaceFacts? {
        if let known = state.withLock({ $0.byRef[Owned(organizationID: organization, ref: ref)] }) { return known }
        return try await read(Self.byRef, [ref.text, organization])?.facts
    }

    /// Whosever it is: for a token that nobody vouches for.
    func facts(ref: WorkspaceRef) async throws(PostgresError) -> WorkspaceFacts? {
        try await read(Self.byRefOfAnybody, [ref.text])?.facts
    }

    func facts(id: UUID) async throws(PostgresError) -> WorkspaceFacts? {
        if let known = state.withLock({ $0.byID[id] }) { return known }
        return try await read(Self.byID, [id])?.facts
    }

    func cluster(_ id: UUID) async throws -> Cluster {
        if let known = state.withLock({ $0.clusters[id] }) { return known }
        guard let row = try await lookups.query(Self.clusterByID, [id]).first else {
            throw TenancyError.unknownCluster
        }
        let cluster = try Cluster(row: row)
        state.withLock { $0.clusters[id] = cluster }
        return cluster
    }

    /// Removes a workspace that turned out to be gone.
    func forget(_ id: UUID) {
        self.state.withLock { state in
            guard let facts = state.byID.removeValue(forKey: id) else { return }
            state.byRef[Owned(organizationID: facts.organizationID, ref: facts.ref)] = nil
        }
    }

    private func read(
        _ statement: Statement,
        _ parameters: [any PostgresEncodable]
    ) async throws(PostgresError) -> Workspace? {
        guard let row = try await lookups.query(statement, parameters).first else { return nil }
        let workspace = try Workspace(row: row)
        let facts = workspace.facts
        self.state.withLock { state in
            state.byID[facts.workspaceID] = facts
            state.byRef[Owned(organizationID: facts.organizationID, ref: facts.ref)] = facts
        }
        return workspace
    }
}
