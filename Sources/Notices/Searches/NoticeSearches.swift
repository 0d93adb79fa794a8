import FoundationEssentials
import KeyStore
import Postgres
import Tenancy

/// The searches for notices over one connection to the control database.
struct NoticeSearches: Sendable {
    let connection: PostgresConnection

    private static let claim = Statement(
        """
        UPDATE control.notice_searches SET due_at = clock_timestamp() + CASE WHEN is_complete THEN interval '1 hour'
            ELSE interval '1 minute' END
        WHERE due_at <= clock_timestamp()
        RETURNING is_complete
        """
    )
    private static let places = Statement(
        """
        SELECT o.id, o.expiry_notice_days, o.unused_after_days,
            array(SELECT w.id FROM control.workspaces w WHERE w.organization_id = o.id AND w.state = 'active' ORDER BY w.id)
        FROM control.organizations o
        WHERE ($1 OR EXISTS (SELECT FROM control.webhooks h WHERE h.organization_id = o.id AND h.disabled_at IS NULL))
          AND ($2::uuid IS NULL OR o.id > $2)
        ORDER BY o.id LIMIT 100
        """
    )

    /// Takes the searches that are due.
    ///
    /// - Returns: `nil` if none is due, otherwise true if the complete one is.
    /// - Throws: The database's errors.
    func claim() async throws -> Bool? {
        let found = try await connection.query(Self.claim).map { try $0.decode(0, as: Bool.self) }
        return found.isEmpty ? nil : found.contains(true)
    }

    /// An organization with the workspaces to search.
    struct Place: Sendable {
        let organizationID: UUID
        let settings: NoticeSettings
        let workspaces: [UUID]
    }

    /// Returns the organizations to search after another one, in the order of their ids.
    ///
    /// Between two complete searches, only organizations with a webhook are searched: nobody else waits for a notice.
    func places(isComplete: Bool, after last: UUID?) async throws -> [Place] {
        try await connection.query(Self.places, [isComplete, last])
            .map { row in
                let standard = NoticeSettings.standard
                return Place(
                    organizationID: try row.decode(0),
                    settings: NoticeSettings(
                        expiryDays: try row.decode(1, as: [Int64]?.self) ?? standard.expiryDays,
                        unusedAfterDays: try row.decode(2, as: Int64?.self) ?? standard.unusedAfterDays
                    ),
                    workspaces: try row.decode(3)
                )
            }
    }
}
