public import FoundationEssentials
public import KeyStore
import Postgres

extension Provisioner {
    /// A workspace that is being deleted is nobody's default any more.
    private static let request = Statement(
        """
        UPDATE control.workspaces
        SET state = $2, target_state = NULL, state_event_id = $3, is_default = false, updated_at = now() WHERE id = $1
        """
    )

    /// Parameters: the names of the cluster's own database and of a workspace's.
    ///
    /// A standby, or a server that is not the cluster's, such as one that was installed anew, says nothing about what is lost.
    private static let isLost = Statement(
        """
        SELECT NOT pg_is_in_recovery() AND EXISTS (SELECT FROM pg_database WHERE datname = $1)
            AND NOT EXISTS (SELECT FROM pg_database WHERE datname = $2)
        """,
        prepared: false
    )

    private static let remove = Statement("DELETE FROM control.workspaces WHERE id = $1 AND state = 'deleting'")

    /// Deletes a workspace: its database with all keys and their history, then its row.
    ///
    /// Its reference is never assigned again, and its events stay in the control database.
    ///
    /// - Parameters:
    ///   - id: The workspace.
    ///   - states: The states that allow it, besides `deleting`; compared while the workspace's lock is held. A requested state that the
    ///     workspace does not have yet must be one of them, too.
    ///   - includesLost: True if a workspace whose database does not exist can be deleted in any state. Defaults to false.
    ///   - includesDefault: True if the default workspace can be deleted, which ends with its organization. Defaults to
    ///     false.
    ///   - attribution: The actor.
    ///   - authorize: Looks at the actor again.
    /// - Throws: `unknownWorkspace`, `defaultWorkspace`, `wrongState`, `busy`, `blocked`; the error of `authorize`; `PostgresError`,
    ///   `UnusableDatabase` or `FenceError`, after which the deletion is pending. A repeated call finishes it, and so does the next repair.
    public func delete(
        _ id: UUID,
        in states: Set<WorkspaceState> = WorkspaceState.deleting.origins,
        includingLost includesLost: Bool = false,
        includingDefault includesDefault: Bool = false,
        by attribution: Attribution,
        authorize: Authorization = { _ in }
    ) async throws {
        let owner = try await stopping(id) { connection in
            try await withStopLock(id, on: connection) { () async throws -> UUID in
                guard let plan = try await ReconciliationPlan.read(id, on: connection) else {
                    throw TenancyError.unknownWorkspace
                }
                guard includesDefault || !plan.workspace.isDefault else {
                    throw TenancyError(.defaultWorkspace, "the default workspace cannot be deleted")
                }
                guard plan.workspace.state != .deleting else { return plan.workspace.organizationID }
                // A restoration that was interrupted can have let the keys in already.
                let reached = [plan.workspace.state, plan.workspace.targetState].compactMap(\.self)
                if let state = reached.first(where: { !states.contains($0) }) {
                    let isLost = includesLost ? try await lacksDatabase(plan.workspace, on: connection) : false
                    guard isLost else {
                        throw TenancyError(
                            .wrongState,
                            "a workspace that is \(state.rawValue) cannot be deleted; archive it first"
                        )
                    }
                }
                try await request(
                    .deleting,
                    of: plan.workspace,
                    Self.request,
                    by: attribution,
                    on: connection,
                    authorize
                )
                return plan.workspace.organizationID
            }
        }
        // PostgreSQL can take seconds to drop a database. No suspension waits for that, because another connection does it.
        try await reconcile(id, of: owner)
    }

    /// Returns true if a workspace's database does not exist on its cluster.
    ///
    /// - Throws: `unknownCluster`, `UnusableDatabase`, `PostgresError`.
    package func lacksDatabase(_ workspace: Workspace) async throws -> Bool {
        try await pool.withConnection { try await lacksDatabase(workspace, on: $0) }
    }

    private func lacksDatabase(_ workspace: Workspace, on connection: PostgresConnection) async throws -> Bool {
        guard let cluster = try await ControlStore(connection).cluster(workspace.clusterID) else {
            throw TenancyError.unknownCluster
        }
        return try await withServer(of: workspace, cluster, control: connection, isRecorded: false) { maintenance in
            try await maintenance.query(Self.isLost, [control.installation.clusterDatabase, workspace.database])
                .first.orMissing().decode(0)
        }
    }

    /// Drops the database, if it still exists, and ends its sessions.
    func drop(_ workspace: Workspace, cluster: Cluster, on connection: PostgresConnection) async throws {
        try await withServer(of: workspace, cluster, control: connection, isRecorded: true) { maintenance in
            // A service that connects again and again could come between the end of its sessions and that of the
            // database.
            try await Server(installation: control.installation, connection: maintenance)
                .shut(database: workspace.database)
            try await maintenance.drop(database: workspace.database, deadline: options.databaseDeadline)
        }
        try onStep(.dropped)
    }

    /// Lends a connection to the server of a workspace's database.
    ///
    /// - Throws: `UnusableDatabase` if the server cannot be reached, and is not that of the control database, too; the errors of `body`.
    private func withServer<T>(
        of workspace: Workspace,
        _ cluster: Cluster,
        control: PostgresConnection,
        isRecorded: Bool,
        _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        do {
            return try await withMaintenance(cluster, control: control, body)
        } catch {
            guard !cluster.isPrimary,
                let unusable = UnusableDatabase(ofServer: error, of: workspace.facts, isRecorded: isRecorded)
            else { throw error }
            throw unusable
        }
    }

    /// Deletes the row, which ends the deletion.
    func remove(_ workspace: Workspace, on connection: PostgresConnection) async throws {
        try await connection.query(Self.remove, [workspace.id])
        try onStep(.removed)
    }
}
