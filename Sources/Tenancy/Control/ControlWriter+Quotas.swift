public import FoundationEssentials
import KeyStore
import Postgres

extension ControlWriter {
    private static let countOfWorkspaces = Statement(
        "SELECT count(*) FROM control.workspaces WHERE organization_id = $1 AND state <> 'deleting'"
    )
    private static let lockCount = Statement(
        "SELECT pg_advisory_xact_lock(hashtextextended('mortise workspaces of ' || $1::text, 0))"
    )

    /// Returns true if an organization has fewer workspaces than a limit.
    ///
    /// Concurrent creations in the organization wait for this transaction.
    public func hasRoomForWorkspace(of organization: UUID, _ limit: Int) async throws -> Bool {
        try await transaction.connection.query(Self.lockCount, [organization])
        let rows = try await transaction.connection.query(Self.countOfWorkspaces, [organization])
        return try rows.first?.decode(0, as: Int.self) ?? 0 < limit
    }
}
