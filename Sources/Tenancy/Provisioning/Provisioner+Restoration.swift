public import FoundationEssentials
public import KeyStore
import Postgres

extension Provisioner {
    /// The time in which an archived workspace can be restored, in days.
    ///
    /// Events stay for 90 days in any case, so the event of the archival still says which state the workspace had.
    public static let restorableDays = 30

    /// The state before the archival, and the decision if the time for a restoration has not passed.
    ///
    /// No row if the workspace is not archived.
    private static let archival = Statement(
        """
        SELECT e.changes #>> '{state,from}', w.archived_at >= now() - make_interval(days => $2::integer)
        FROM control.workspaces w LEFT JOIN auth.key_events e ON e.id = w.state_event_id
        WHERE w.id = $1 AND w.state = 'archived' AND w.target_state IS NULL
        """,
        prepared: false
    )

    /// Restores an archived workspace: it gets the state that it had before.
    ///
    /// Restoring a workspace that is not archived changes nothing. The event is that of the state which the workspace gets,
    /// `workspace.resumed` or `workspace.suspended`, and its change is from `archived`.
    ///
    /// - Parameters:
    ///   - id: The workspace.
    ///   - attribution: The actor.
    ///   - authority: The actor's rank; by default that of the organization.
    ///   - examine: Looks at the workspace before the change. Its errors end the call.
    ///   - authorize: Looks at the actor again.
    /// - Returns: The workspace.
    /// - Throws: `unknownWorkspace`; `wrongState` if the workspace was archived more than ``restorableDays`` ago; the other
    ///   errors of ``resume(_:by:as:examine:authorize:)``.
    public func restore(
        _ id: UUID,
        by attribution: Attribution,
        as authority: StateAuthority = .organization,
        examine: (Workspace) throws -> Void = { _ in },
        authorize: Authorization = { _ in }
    ) async throws -> Workspace {
        try await changing(over: pool) { connection in
            try await withLock(id, on: connection) {
                guard let plan = try await ReconciliationPlan.read(id, on: connection),
                    plan.workspace.state != .deleting
                else { throw TenancyError.unknownWorkspace }
                try examine(plan.workspace)
                // A change that was interrupted comes first. It may be the archival itself.
                guard let workspace = try await perform(plan, on: connection) else {
                    throw TenancyError.unknownWorkspace
                }
                guard let row = try await connection.query(Self.archival, [id, Self.restorableDays]).first else {
                    return workspace
                }
                guard try row.decode(1, as: Bool.self) else {
                    throw TenancyError(
                        .wrongState,
                        "the workspace was archived more than \(Self.restorableDays) days ago and cannot be restored"
                    )
                }
                let before = try row.decode(0, as: String?.self).flatMap(WorkspaceState.init(rawValue:))
                return try await change(
                    id,
                    to: before == .suspended ? .suspended : .active,
                    from: [.archived],
                    by: attribution,
                    as: authority,
                    on: connection,
                    authorize
                )
            }
        }
    }
}
