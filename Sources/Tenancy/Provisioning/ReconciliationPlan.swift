import FoundationEssentials
import KeyStore
import Postgres

/// A workspace's row, the event behind its state, and the step that is left to take.
struct ReconciliationPlan: Sendable {
    /// A step towards the state that the row requests.
    enum Step: Sendable, Equatable {
        case none
        case create
        case change(WorkspaceState)
        case drop
    }

    let workspace: Workspace
    /// The event of the creation or of the requested state; `nil` for one that is older than the events that the installation keeps.
    let event: EventRecord?

    private static let row = Statement(
        "SELECT \(Workspace.columns("w")), w.state_event_id FROM control.workspaces w WHERE w.id = $1"
    )

    /// Reads a workspace's row and its event.
    ///
    /// The caller holds the workspace's lock.
    static func read(_ id: UUID, on connection: PostgresConnection) async throws -> ReconciliationPlan? {
        guard let row = try await connection.query(Self.row, [id]).first else { return nil }
        let eventID: UUID = try row.decode(Workspace.columnCount)
        return ReconciliationPlan(
            workspace: try Workspace(row: row),
            event: try await EventStore(connection).find(eventID)
        )
    }

    /// The step that the row requests.
    var step: Step { Self.step(workspace.state, target: workspace.targetState) }

    static func step(_ state: WorkspaceState, target: WorkspaceState?) -> Step {
        switch (state, target) {
        case (.creating, _): .create
        case (.deleting, _): .drop
        case (_, let target?): .change(target)
        case (_, nil): .none
        }
    }
}
