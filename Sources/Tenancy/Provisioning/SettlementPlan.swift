import FoundationEssentials
import Postgres

/// A workspace's row, the event behind its state, and what is left to do.
struct SettlementPlan: Sendable {
    /// What is left to do.
    enum Step: Sendable, Equatable {
        case none
        case create
        case change(WorkspaceState)
        case drop
    }

    let workspace: Workspace
    let event: StoredEvent

    private static let reading = Statement(
        """
        SELECT \(Workspace.columns("w")), \(StoredEvent.columns("e")) FROM control.workspaces w
        JOIN auth.key_events e ON e.id = w.state_event_id WHERE w.id = $1
        """
    )

    /// Reads the row; the caller holds the workspace's lock.
    static func read(_ id: UUID, on connection: PostgresConnection) async throws(PostgresError) -> SettlementPlan? {
        guard let row = try await connection.query(reading, [id]).first else { return nil }
        return SettlementPlan(
            workspace: try Workspace(row: row),
            event: try StoredEvent(row: row, from: Workspace.columnCount)
        )
    }

    /// What the row asks for.
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

/// An event as it stands in one database, to be copied into another.
struct StoredEvent: Sendable {
    private let parameters: [any PostgresEncodable]

    private static let names = [
        "id", "workspace_id", "organization_id", "type", "actor", "address", "request_id", "occurred_at", "changes",
    ]

    static func columns(_ alias: String) -> String { names.map { "\(alias).\($0)" }.joined(separator: ", ") }

    /// An INSERT that does nothing when the event is there already; its parameters are numbered from `first` on.
    static func insertion(from first: Int) -> String {
        let values = names.indices.map { "$\(first + $0)" }.joined(separator: ", ")
        return
            "INSERT INTO auth.key_events (\(names.joined(separator: ", "))) VALUES (\(values)) ON CONFLICT (id) DO NOTHING"
    }

    init(row: Row, from first: Int) throws(PostgresError) {
        parameters = [
            try row.decode(first, as: UUID.self), try row.decode(first + 1, as: UUID?.self),
            try row.decode(first + 2, as: UUID?.self), try row.decode(first + 3, as: String.self),
            try row.decode(first + 4, as: String.self), try row.decode(first + 5, as: String?.self),
            try row.decode(first + 6, as: String?.self), try row.decode(first + 7, as: PostgresTimestamp.self),
            try row.decode(first + 8, as: PostgresJSON.self),
        ]
    }

    /// The values of `insertion`'s parameters.
    var values: [any PostgresEncodable] { parameters }
}
