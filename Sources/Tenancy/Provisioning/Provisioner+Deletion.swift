public import FoundationEssentials
import Postgres

extension Provisioner {
    private static let decideDeletion = Statement(
        """
        WITH old AS (
            SELECT id, state FROM control.workspaces WHERE id = $1 FOR UPDATE
        ), changed AS (
            UPDATE control.workspaces w SET state = 'deleting', target_state = NULL, state_event_id = $2, updated_at = now()
            FROM old WHERE w.id = old.id
            RETURNING w.id, w.organization_id, old.state AS was
        )
        INSERT INTO auth.key_events (id, workspace_id, organization_id, type, actor, address, request_id, changes)
        SELECT $2, id, organization_id, $6, $3, $4, $5,
            jsonb_build_object('state', jsonb_build_object('from', was, 'to', 'deleting'))
        FROM changed
        """
    )

    private static let remove = Statement("DELETE FROM control.workspaces WHERE id = $1 AND state = 'deleting'")

    /// Removes a workspace: its database with all keys and their history, then its row.
    ///
    /// Its ref is never given out again, and what happened to the workspace stays in the control database's events.
    ///
    /// - Parameters:
    ///   - id: the workspace.
    ///   - states: the states in which it may be, besides `deleting`; looked at when nobody else can change them.
    ///   - attribution: who removes it.
    /// - Throws: `unknownWorkspace`, `defaultWorkspace`, `wrongState`, `busy`; `PostgresError`, after which the deletion is pending:
    ///   asking again finishes it, and so does the next repair.
    public func delete(
        _ id: UUID,
        in states: Set<WorkspaceState> = WorkspaceState.deleting.origins,
        by attribution: Attribution
    ) async throws {
        try await pool.withConnection { connection in
            try await withLock(id, on: connection) {
                guard var plan = try await SettlementPlan.read(id, on: connection) else {
                    throw TenancyError.unknownWorkspace
                }
                guard !plan.workspace.isDefault else {
                    throw TenancyError(.defaultWorkspace, "the default workspace cannot be deleted")
                }
                if plan.workspace.state != .deleting {
                    guard states.contains(plan.workspace.state) else {
                        throw TenancyError(
                            .wrongState,
                            "a workspace that is \(plan.workspace.state.rawValue) cannot be deleted; archive it first"
                        )
                    }
                    try await connection.query(
                        Self.decideDeletion,
                        [id] + control.store(on: connection).event(attribution) + [
                            WorkspaceState.deleting.eventType
                        ]
                    )
                    try onStep(.decided)
                    guard let decided = try await SettlementPlan.read(id, on: connection) else { return }
                    plan = decided
                }
                _ = try await carryOut(plan, on: connection)
            }
        }
    }

    /// Drops the database with whoever is connected to it, then removes the row.
    func completeDeletion(_ plan: SettlementPlan, cluster: Cluster, on connection: PostgresConnection) async throws {
        let database = PostgresConnection.quote(identifier: plan.workspace.database)
        try await withMaintenance(cluster, control: connection) { maintenance in
            // A service that connects again and again could come between the end of its sessions and that of the database.
            try await Server(installation: control.installation, connection: maintenance)
                .shut(database: plan.workspace.database)
            try await maintenance.script(
                "DROP DATABASE IF EXISTS \(database) WITH (FORCE)",
                deadline: options.databaseDeadline
            )
        }
        try onStep(.dropped)
        try await connection.query(Self.remove, [plan.workspace.id])
        try onStep(.removed)
    }
}
