public import FoundationEssentials
public import KeyStore
import Postgres

extension Provisioner {
    private static let request = Statement(
        "UPDATE control.workspaces SET target_state = $2, state_event_id = $3, updated_at = now() WHERE id = $1"
    )

    private static let apply = Statement(
        "UPDATE auth.workspace SET state = $1, generation = generation + 1 WHERE state <> $1",
        prepared: false
    )

    private static let complete = Statement(
        """
        UPDATE control.workspaces w SET state = target_state, target_state = NULL, updated_at = now(),
            archived_at = CASE WHEN target_state = 'archived' THEN now() END
        WHERE id = $1 AND target_state = $2
        RETURNING \(Workspace.columns("w"))
        """
    )

    /// Suspends a workspace: its keys are refused until it is resumed.
    ///
    /// Suspending a suspended workspace changes nothing. When the method returns, no look-up in the workspace's
    /// database finds a usable key.
    ///
    /// - Throws: `unknownWorkspace`, `wrongState`, `busy`; `PostgresError`, after which the suspension can be pending.
    ///   A repeated call finishes it, and so does the next start.
    public func suspend(_ id: UUID, by attribution: Attribution) async throws -> Workspace {
        try await change(id, to: .suspended, by: attribution)
    }

    /// Resumes a suspended workspace: its keys are accepted again.
    ///
    /// - Throws: The errors of ``suspend(_:by:)``.
    public func resume(_ id: UUID, by attribution: Attribution) async throws -> Workspace {
        try await change(id, to: .active, by: attribution)
    }

    /// Archives a workspace: its keys are refused for good, and its database stays.
    ///
    /// - Throws: `defaultWorkspace`, and the errors of ``suspend(_:by:)``.
    public func archive(_ id: UUID, by attribution: Attribution) async throws -> Workspace {
        try await change(id, to: .archived, by: attribution)
    }

    private func change(
        _ id: UUID,
        to state: WorkspaceState,
        by attribution: Attribution
    ) async throws -> Workspace {
        try await pool.withConnection { connection in
            try await withLock(id, on: connection) {
                guard var plan = try await ReconciliationPlan.read(id, on: connection),
                    plan.workspace.state != .deleting
                else { throw TenancyError.unknownWorkspace }
                let workspace = plan.workspace
                if state == .archived, workspace.isDefault {
                    throw TenancyError(.defaultWorkspace, "the default workspace cannot be archived")
                }
                // The requested state counts, not the one that the workspace still has.
                let current = workspace.targetState ?? workspace.state
                if current != state {
                    guard state.origins.contains(current) else {
                        throw TenancyError(
                            .wrongState,
                            "a workspace that is \(current.rawValue) cannot become \(state.rawValue)"
                        )
                    }
                    try await request(state, of: workspace, Self.request, by: attribution, on: connection)
                    guard let requested = try await ReconciliationPlan.read(id, on: connection) else {
                        throw TenancyError.unknownWorkspace
                    }
                    plan = requested
                }
                guard let changed = try await perform(plan, on: connection) else {
                    throw TenancyError.unknownWorkspace
                }
                return changed
            }
        }
    }

    /// Commits the request for another state and its event.
    ///
    /// - Parameters:
    ///   - state: The requested state.
    ///   - workspace: The workspace. The caller holds its lock.
    ///   - statement: The change of the row; its parameters are the id, the state and the event's id.
    ///   - attribution: The actor of the request.
    ///   - connection: The connection whose session holds the lock.
    /// - Throws: The database's errors.
    func request(
        _ state: WorkspaceState,
        of workspace: Workspace,
        _ statement: Statement,
        by attribution: Attribution,
        on connection: PostgresConnection
    ) async throws {
        let eventID = control.identifiers.id()
        var changes = EventChanges()
        changes.add("state", from: workspace.state.rawValue, to: state.rawValue)
        try await connection.auditedTransaction { transaction in
            try await transaction.connection.query(statement, [workspace.id, state.rawValue, eventID])
            try await transaction.record(
                EventRecord(
                    state.eventType,
                    id: eventID,
                    workspaceID: workspace.id,
                    organizationID: workspace.organizationID,
                    changes: changes,
                    by: attribution,
                    at: try await transaction.now()
                )
            )
        }
        try onStep(.requested)
    }

    /// Changes the workspace's own row and copies the event there, then completes the control row.
    func completeChange(
        _ plan: ReconciliationPlan,
        to state: WorkspaceState,
        cluster: Cluster,
        on connection: PostgresConnection
    ) async throws -> Workspace {
        let configuration = ControlDatabase.limited(
            try control.ownerConfiguration(cluster, database: plan.workspace.database),
            statements: .seconds(15)
        )
        try await PostgresConnection.with(configuration, reactor: control.reactor, logger: control.logger) { database in
            try await database.auditedTransaction { transaction in
                try await transaction.connection.query(Self.apply, [state.rawValue])
                try await transaction.copy(plan.event)
            }
        }
        try onStep(.applied)
        guard let row = try await connection.query(Self.complete, [plan.workspace.id, state.rawValue]).first else {
            throw TenancyError.unknownWorkspace
        }
        try onStep(.completed)
        return try Workspace(row: row)
    }
}
