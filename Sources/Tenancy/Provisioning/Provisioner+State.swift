public import FoundationEssentials
public import KeyStore
import Keys
import Logging
import Postgres

extension Provisioner {
    /// A closure that throws if the caller cannot make a change any more.
    ///
    /// It runs in the change's transaction in the control database, after all waits for other changes.
    public typealias Authorization = (AuditedTransaction) async throws -> Void

    private static let request = Statement(
        """
        UPDATE control.workspaces SET target_state = $2, state_event_id = $3, held_by_operator = $4, updated_at = now()
        WHERE id = $1
        """
    )

    private static let hold = Statement(
        "UPDATE control.workspaces SET held_by_operator = true, updated_at = now() WHERE id = $1",
        prepared: false
    )

    private static let apply = Statement(
        "UPDATE auth.workspace SET state = $1, generation = generation + 1 WHERE state <> $1 RETURNING 1",
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
    /// Suspending a suspended workspace changes nothing, with two exceptions: an operator's suspension takes the place of the organization's
    /// own, and a database of the workspace that was restored from an older backup is suspended again. When the method returns, no look-up in
    /// the workspace's database finds a usable key.
    ///
    /// - Parameters:
    ///   - id: The workspace.
    ///   - attribution: The actor.
    ///   - authority: The actor's rank; by default that of the organization.
    ///   - authorize: Looks at the actor again.
    /// - Returns: The workspace.
    /// - Throws: `unknownWorkspace`, `wrongState`, `busy`; the error of `authorize`; `PostgresError` or `UnusableDatabase`, after
    ///   which the suspension can be pending. A repeated call finishes it, and so does the next start.
    public func suspend(
        _ id: UUID,
        by attribution: Attribution,
        as authority: StateAuthority = .organization,
        authorize: Authorization = { _ in }
    ) async throws -> Workspace {
        try await stop(id, to: .suspended, by: attribution, as: authority, authorize)
    }

    /// Resumes a suspended workspace: its keys are accepted again.
    ///
    /// The parameters and errors are those of ``suspend(_:by:as:authorize:)``, and `heldByOperator`. `examine` looks at the workspace before
    /// the change, when no other change of its state can come between, and its errors end the call.
    public func resume(
        _ id: UUID,
        by attribution: Attribution,
        as authority: StateAuthority = .organization,
        examine: (Workspace) throws -> Void = { _ in },
        authorize: Authorization = { _ in }
    ) async throws -> Workspace {
        try await changing(over: pool) { connection in
            try await withLock(id, on: connection) {
                try await change(
                    id,
                    to: .active,
                    by: attribution,
                    as: authority,
                    on: connection,
                    examine: examine,
                    authorize
                )
            }
        }
    }

    /// Archives a workspace: its keys are refused until it is restored, and its database stays.
    ///
    /// The parameters and errors are those of ``suspend(_:by:as:authorize:)``, and `defaultWorkspace`.
    public func archive(
        _ id: UUID,
        by attribution: Attribution,
        as authority: StateAuthority = .organization,
        authorize: Authorization = { _ in }
    ) async throws -> Workspace {
        try await stop(id, to: .archived, by: attribution, as: authority, authorize)
    }

    /// Changes the state to one in which the workspace's keys are refused.
    ///
    /// It has connections of its own, one deadline for all of its waits, and ends sessions of this installation that block
    /// it.
    private func stop(
        _ id: UUID,
        to state: WorkspaceState,
        by attribution: Attribution,
        as authority: StateAuthority,
        _ authorize: Authorization
    ) async throws -> Workspace {
        try await stopping(id) { connection in
            try await withStopLock(id, on: connection) {
                try await change(
                    id,
                    to: state,
                    by: attribution,
                    as: authority,
                    .stops,
                    on: connection,
                    authorize
                )
            }
        }
    }

    /// Changes the state.
    ///
    /// The caller holds the workspace's lock. `origins` are the states from which the state can be requested, where they are not those of
    /// the state. `lane` is the lane of the fence.
    func change(
        _ id: UUID,
        to state: WorkspaceState,
        from origins: Set<WorkspaceState>? = nil,
        by attribution: Attribution,
        as authority: StateAuthority,
        _ lane: ClusterFencing.Lane = .changes,
        on connection: PostgresConnection,
        examine: (Workspace) throws -> Void = { _ in },
        _ authorize: Authorization
    ) async throws -> Workspace {
        guard var plan = try await ReconciliationPlan.read(id, on: connection), plan.workspace.state != .deleting else {
            throw TenancyError.unknownWorkspace
        }
        try examine(plan.workspace)
        let workspace = plan.workspace
        if state == .archived, workspace.isDefault {
            throw TenancyError(.defaultWorkspace, "the default workspace cannot be archived")
        }
        // The requested state counts, not the one that the workspace still has.
        let current = workspace.targetState ?? workspace.state
        if current != state {
            guard (origins ?? state.origins).contains(current) else {
                throw TenancyError(
                    .wrongState,
                    "a workspace that is \(current.rawValue) cannot become \(state.rawValue)"
                )
            }
            guard authority.allows(state, after: current, isHeld: workspace.isHeldByOperator) else {
                throw TenancyError.heldByOperator
            }
            if let pending = workspace.targetState { try await supersede(plan, to: pending, on: connection) }
            try await request(
                state,
                of: workspace,
                Self.request,
                isHeld: authority.holds(state, after: current, isHeld: workspace.isHeldByOperator),
                by: attribution,
                on: connection,
                authorize
            )
            plan = try await ReconciliationPlan.read(id, on: connection).orUnknown()
        } else if authority == .platform, state != .active, !workspace.isHeldByOperator {
            try await hold(workspace, by: attribution, on: connection, authorize)
            plan = try await ReconciliationPlan.read(id, on: connection).orUnknown()
        }
        guard let changed = try await perform(plan, lane, on: connection) else { throw TenancyError.unknownWorkspace }
        return changed
    }

    /// Carries out a requested change that another one replaces, so that a node that was paused before it did so does not
    /// do it when it wakes up.
    ///
    /// With the event alone, the workspace's own row would keep its state if the request that replaces this one fails: a
    /// repair finds the event, and takes the change for done.
    private func supersede(
        _ plan: ReconciliationPlan,
        to state: WorkspaceState,
        on connection: PostgresConnection
    ) async throws {
        guard let cluster = try await ControlStore(connection).cluster(plan.workspace.clusterID) else {
            throw TenancyError.unknownCluster
        }
        try await carryOut(plan, to: state, of: cluster)
    }

    /// Changes the workspace's own row and copies the event there, unless the event is there.
    private func carryOut(_ plan: ReconciliationPlan, to state: WorkspaceState, of cluster: Cluster) async throws {
        try await inWorkspace(plan.workspace, of: cluster) { transaction in
            // The event is there if an earlier attempt has applied the change, or if a later change has replaced it. A node
            // that lost the workspace's lock while it was paused finds it, and must not undo that later change.
            if let event = plan.event, try await !transaction.copy(event) { return }
            try await transaction.connection.query(Self.apply, [state.rawValue])
        }
    }

    /// Runs a transaction in a workspace's database, and ends sessions of this installation that block it.
    private func inWorkspace<T>(
        _ workspace: Workspace,
        of cluster: Cluster,
        _ body: (AuditedTransaction) async throws -> T
    ) async throws -> T {
        let configuration = ControlDatabase.limited(
            try control.ownerConfiguration(cluster, database: workspace.database),
            statements: .seconds(15)
        )
        do {
            return try await PostgresConnection.with(configuration, reactor: control.reactor, logger: control.logger) {
                database in
                try await unblocking(database, to: cluster) { try await database.auditedTransaction(body) }
            }
        } catch {
            guard let unusable = UnusableDatabase(error, of: workspace.facts) else { throw error }
            throw unusable
        }
    }

    /// Takes the place of the organization that suspended or archived a workspace itself, and records it.
    ///
    /// The caller holds the workspace's lock. The event of the state stays, which says what the state was before.
    private func hold(
        _ workspace: Workspace,
        by attribution: Attribution,
        on connection: PostgresConnection,
        _ authorize: Authorization
    ) async throws {
        var changes = EventChanges()
        changes.compare("held_by_operator", from: workspace.isHeldByOperator, to: true)
        try await connection.auditedTransaction { transaction in
            try await transaction.connection.query(Self.hold, [workspace.id])
            // After the wait for the row.
            try await authorize(transaction)
            try await control.writer(in: transaction)
                .record(
                    .workspaceUpdated,
                    workspace: workspace.id,
                    organization: workspace.organizationID,
                    changes,
                    by: attribution
                )
        }
    }

    /// Commits the request for another state and its event.
    ///
    /// - Parameters:
    ///   - state: The requested state.
    ///   - workspace: The workspace. The caller holds its lock.
    ///   - statement: The change of the row; its parameters are the id, the state and the event's id, and `isHeld` unless it is `nil`.
    ///   - isHeld: True if only an operator can undo the state; `nil` if nobody can.
    ///   - attribution: The actor of the request.
    ///   - connection: The connection whose session holds the lock.
    ///   - authorize: Looks at the actor again.
    /// - Throws: The error of `authorize`, and the database's errors.
    func request(
        _ state: WorkspaceState,
        of workspace: Workspace,
        _ statement: Statement,
        isHeld: Bool? = nil,
        by attribution: Attribution,
        on connection: PostgresConnection,
        _ authorize: Authorization
    ) async throws {
        let eventID = control.identifiers.id()
        var parameters: [any PostgresEncodable] = [workspace.id, state.rawValue, eventID]
        var changes = EventChanges()
        // A requested state that this one replaces counts: a restoration gives back what the event of the archival names.
        changes.add("state", from: (workspace.targetState ?? workspace.state).rawValue, to: state.rawValue)
        if let isHeld {
            parameters.append(isHeld)
            changes.compare("held_by_operator", from: workspace.isHeldByOperator, to: isHeld)
        }
        try await connection.auditedTransaction { transaction in
            try await transaction.connection.query(statement, parameters)
            // After the wait for the row.
            try await authorize(transaction)
            try await control.writer(in: transaction)
                .record(
                    state.eventType,
                    id: eventID,
                    workspace: workspace.id,
                    organization: workspace.organizationID,
                    changes,
                    by: attribution
                )
        }
        try onStep(.requested)
    }

    /// Stops a workspace again in its own database, which has the state of an older moment if somebody restored it.
    ///
    /// The caller holds the workspace's lock, and no change is under way.
    func repeatState(_ plan: ReconciliationPlan, cluster: Cluster) async throws {
        let state = plan.workspace.state
        let isCorrected = try await inWorkspace(plan.workspace, of: cluster) { transaction in
            // A restored database lacks the event, too.
            if let event = plan.event { try await transaction.copy(event) }
            return try await !transaction.connection.query(Self.apply, [state.rawValue]).isEmpty
        }
        guard isCorrected else { return }
        control.logger.warning(
            "the database of a stopped workspace had another state, as after a restoration, and has been corrected",
            metadata: [
                "workspace_id": .string(UUIDv7.text(of: plan.workspace.id)), "state": "\(state.rawValue)",
            ]
        )
    }

    /// Changes the workspace's own row and copies the event there, then completes the control row.
    func completeChange(
        _ plan: ReconciliationPlan,
        to state: WorkspaceState,
        cluster: Cluster,
        on connection: PostgresConnection
    ) async throws -> Workspace {
        try await carryOut(plan, to: state, of: cluster)
        try onStep(.applied)
        guard let row = try await connection.query(Self.complete, [plan.workspace.id, state.rawValue]).first else {
            throw TenancyError.unknownWorkspace
        }
        try onStep(.completed)
        return try Workspace(row: row)
    }
}

extension ReconciliationPlan? {
    /// Returns the plan of a workspace that exists.
    fileprivate func orUnknown() throws(TenancyError) -> ReconciliationPlan {
        guard let self else { throw .unknownWorkspace }
        return self
    }
}
