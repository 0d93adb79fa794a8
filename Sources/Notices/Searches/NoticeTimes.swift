import FoundationEssentials
import KeyStore
import Keys
import Postgres
import Tenancy

/// The times of the searches for notices, over one connection to the control database.
struct NoticeTimes: Sendable {
    let connection: PostgresConnection

    /// The time between two searches of a database in which keys change or are used.
    static let pause = Duration.seconds(60)
    /// The maximum time of a search.
    ///
    /// The time of a claim is longer, so that one node at a time searches a database.
    static let deadline = Duration.seconds(30)

    private static let add = Statement(
        """
        INSERT INTO control.notice_times (id, due_at)
        SELECT p.id, clock_timestamp() + random() * interval '1 hour' FROM (
            SELECT id FROM control.workspaces WHERE state = 'active' UNION ALL SELECT id FROM control.organizations
        ) p
        WHERE NOT EXISTS (SELECT FROM control.notice_times t WHERE t.id = p.id)
        ON CONFLICT (id) DO NOTHING
        """
    )
    /// A database is searched at once if it was not searched for a minute, and otherwise when the minute is over.
    ///
    /// The rows are written in one order, so two nodes cannot deadlock.
    private static let request = Statement(
        """
        INSERT INTO control.notice_times AS t (id, due_at)
        SELECT r.id, clock_timestamp() FROM (
            SELECT id FROM unnest($1::uuid[]) AS i (id)
            UNION SELECT organization_id FROM auth.service_keys WHERE id = ANY ($2) AND organization_id IS NOT NULL
        ) r ORDER BY r.id
        ON CONFLICT (id) DO UPDATE SET due_at = greatest(clock_timestamp(), t.searched_at + interval '1 minute')
        WHERE t.due_at > greatest(clock_timestamp(), t.searched_at + interval '1 minute')
        """
    )
    /// `NULL` stands for all organizations.
    private static let requestComplete = Statement(
        """
        UPDATE control.notice_times t SET due_at = clock_timestamp(), complete_at = clock_timestamp() FROM (
            SELECT id FROM control.notice_times
            WHERE $1::uuid[] IS NULL OR id = ANY ($1)
               OR id IN (SELECT id FROM control.workspaces WHERE organization_id = ANY ($1))
            ORDER BY id FOR UPDATE
        ) l WHERE t.id = l.id
        """
    )
    /// Of many databases that are due at once, a small part is claimed at a time, so that their searches spread over a minute: each can open
    /// a connection.
    ///
    /// A database of which a claim was not ended is due again after two minutes.
    private static let claim = Statement(
        """
        WITH due AS (
            SELECT t.id, t.complete_at <= statement_timestamp() AS is_complete FROM control.notice_times t
            WHERE t.due_at <= statement_timestamp()
            ORDER BY t.due_at
            LIMIT (SELECT least($1::bigint, 2 + count(*) / 600) FROM control.notice_times c WHERE c.due_at <= statement_timestamp())
            FOR UPDATE SKIP LOCKED
        )
        UPDATE control.notice_times t SET searched_at = statement_timestamp(), due_at = statement_timestamp() + interval '2 minutes'
        FROM due
        LEFT JOIN control.workspaces w ON w.id = due.id
        LEFT JOIN control.organizations o ON o.id = coalesce(w.organization_id, due.id)
        WHERE t.id = due.id
        RETURNING t.id, due.is_complete, w.state, o.id, o.expiry_notice_days, o.unused_after_days
        """
    )
    /// A request of the meantime has moved the time of the claim, and stays.
    private static let end = Statement(
        """
        UPDATE control.notice_times
        SET due_at = CASE WHEN due_at = searched_at + interval '2 minutes'
                THEN clock_timestamp() + $2::bigint * interval '1 microsecond' ELSE due_at END,
            complete_at = coalesce(clock_timestamp() + $3::bigint * interval '1 microsecond', complete_at)
        WHERE id = $1
        """
    )
    private static let remove = Statement("DELETE FROM control.notice_times WHERE id = $1")

    /// A database that this node is to search.
    struct Place: Sendable {
        /// The workspace, or the organization of admin keys.
        let id: UUID
        let organizationID: UUID
        let settings: NoticeSettings
        /// True to look for unused keys, too.
        let isComplete: Bool

        var isWorkspace: Bool { id != organizationID }
    }

    /// Adds the workspaces and organizations that are new or were away.
    ///
    /// Their first searches are spread over an hour. A change of a key makes the search of its database due at once.
    func addMissing() async throws(PostgresError) { try await connection.query(Self.add) }

    /// Makes the searches of databases due.
    func request(_ batch: SearchRequests.Batch) async throws(PostgresError) {
        if !batch.places.isEmpty || !batch.adminKeys.isEmpty {
            try await connection.query(Self.request, [Array(batch.places), Array(batch.adminKeys)])
        }
        if !batch.organizations.isEmpty {
            try await connection.query(Self.requestComplete, [Array(batch.organizations)])
        }
    }

    /// Makes complete searches of all databases due.
    func requestAll() async throws(PostgresError) {
        try await connection.query(Self.requestComplete, [[UUID]?.none])
    }

    /// Takes searches that are due.
    ///
    /// - Parameter limit: The maximum number.
    /// - Returns: The searches to make, and the number of those that were due.
    /// - Throws: The database's errors.
    func claim(upTo limit: Int) async throws -> (places: [Place], count: Int) {
        let rows = try await connection.query(Self.claim, [limit])
        var places: [Place] = []
        for row in rows {
            let id = try row.decode(0, as: UUID.self)
            let state = try row.decode(2, as: String?.self).flatMap { WorkspaceState(rawValue: $0) }
            guard let organization = try row.decode(3, as: UUID?.self), state == nil || state == .active else {
                try await connection.query(Self.remove, [id])
                continue
            }
            let standard = NoticeSettings.standard
            places.append(
                Place(
                    id: id,
                    organizationID: organization,
                    settings: NoticeSettings(
                        expiryDays: try row.decode(4, as: [Int64]?.self) ?? standard.expiryDays,
                        unusedAfterDays: try row.decode(5, as: Int64?.self) ?? standard.unusedAfterDays
                    ),
                    isComplete: try row.decode(1)
                )
            )
        }
        return (places, rows.count)
    }

    /// Ends a search.
    ///
    /// - Parameters:
    ///   - place: The database.
    ///   - next: The time until the next search.
    ///   - nextComplete: The time until the next search for unused keys; `nil` if this search was not for them.
    /// - Throws: The database's errors.
    func end(_ place: Place, next: Duration, nextComplete: Duration?) async throws(PostgresError) {
        try await connection.query(
            Self.end,
            [place.id, next.wholeMicroseconds, nextComplete?.wholeMicroseconds]
        )
    }
}
