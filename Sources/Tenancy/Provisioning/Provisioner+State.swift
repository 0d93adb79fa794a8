public import FoundationEssentials
import Postgres

extension Provisioner {
    private static let decide = Statement(
        """
        WITH changed AS (
            UPDATE control.workspaces SET target_state = $2, state_event_id = $3, updated_at = now() WHERE id = $1
            RETURNING *
        )
        INSERT INTO auth.key_events (id, workspace_id, organization_id, type, actor, address, request_id, changes)
        SELECT $3, id, organization_id, $7, $4, $5, $6,
            jsonb_build_object('state', jsonb_build_object('from', state, 'to', $2::text))
        FROM changed
        """
    )

    private static let carryOut = Statement(
        """
        WITH changed AS (
            UPDATE auth.workspace SET state = $1, generation = generation + 1 WHERE state <> $1
        ) \(StoredEvent.insertion(from: 2))
        """,
        prepared: false
    )

    private static let settle = Statement(
        """
        UPDATE control.workspaces w SET state = target_state, target_state = NULL, updated_at = now(),
            archived_at = CASE WHEN target_state = 'archived' THEN now() END
        WHERE id = $1 AND target_state = $2
        RETURNING \(Workspace.columns("w"))
        """
    )

    /// Refuses the keys of a workspace until it is resumed.
    ///
    /// Suspending twice is one suspension.
    ///
    /// When this returns, no lookup in the workspace's database finds a usable key.
    /// - Throws: `unknownWorkspace`, `wrongState`, `busy`; `PostgresError`, after which the suspension may be pending: asking again
    ///   finishes it, and so does the next start.
    public func suspend(_ id: UUID, by attribution: Attribution) async throws -> Workspace {
        try await change(id, to: .suspended, by: attribution)
    }

    /// Accepts the keys of a suspended workspace again.
    ///
    /// The errors are those of `suspend`.
    public func resume(_ id: UUID, by attribution: Attribution) async throws -> Workspace {
        try await change(id, to: .active, by: attribution)
    }

    /// Refuses the keys of a workspace for good and keeps its database.
    ///
    /// - Throws: `defaultWorkspace`, and what `suspend` throws.
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
                guard var plan = try await SettlementPlan.read(id, on: connection), plan.workspace.state != .deleting
                else {
                    throw TenancyError.unknownWorkspace
                }
                let workspace = plan.workspace
                if state == .archived, workspace.isDefault {
                    throw TenancyError(.defaultWorkspace, "the default workspace cannot be archived")
                }
                // Where it is going counts, not where it still is.
                let current = workspace.targetState ?? workspace.state
                if current != state {
                    guard state.origins.contains(current) else {
                        throw TenancyError(
                            .wrongState,
                            "a workspace that is \(current.rawValue) cannot become \(state.rawValue)"
                        )
                    }
                    try await connection.query(
                        Self.decide,
                        [id, state.rawValue] + control.store(on: connection).event(attribution) + [state.eventType]
                    )
                    try onStep(.decided)
                    guard let decided = try await SettlementPlan.read(id, on: connection) else {
                        throw TenancyError.unknownWorkspace
                    }
                    plan = decided
                }
                guard let settled = try await carryOut(plan, on: connection) else {
                    throw TenancyError.unknownWorkspace
                }
                return settled
            }
        }
    }

    /// The workspace's own row with the event of the wish, then the control row.
    func completeChange(
        _ plan: SettlementPlan,
        to state: WorkspaceState,
        cluster: Cluster,
        on connection: PostgresConnection
    ) async throws -> Workspace {
        let database = try await PostgresConnection.connect(
            ControlDatabase.limited(
                try control.ownerConfiguration(cluster, database: plan.workspace.database),
                statements: .seconds(15)
            ),
            reactor: control.reactor,
            logger: control.logger
        )
        do throws(PostgresError) {
            try await database.query(Self.carryOut, [state.rawValue] + plan.event.values)
        } catch {
            await database.close()
            throw error
        }
        await database.close()
        try onStep(.carriedOut)
        guard let row = try await connection.query(Self.settle, [plan.workspace.id, state.rawValue]).first else {
            throw TenancyError.unknownWorkspace
        }
        try onStep(.settled)
        return try Workspace(row: row)
    }
}
