import FoundationEssentials
import KeyStore
import Keys
import Postgres
import Tenancy

/// The times of the searches for notices, over one connection to the control database.
struct NoticeTimes: Sendable {
    let connection: PostgresConnection

    /// The shortest time between two searches of a database.
    static let pause = Duration.seconds(60)
    /// The maximum time of a search.
    ///
    /// It is much shorter than the time after which another node makes it.
    static let deadline = Duration.seconds(30)

    private static let add = Statement(
        """
        INSERT INTO control.notice_times (id, due_at)
        SELECT p.id, clock_timestamp() + random() * interval '1 hour' FROM (
            SELECT id FROM control.workspaces WHERE state = 'active' UNION ALL SELECT id FROM control.organizations
        ) p
        WHERE NOT EXISTS (SELECT FROM control.notice_times t WHERE t.id = p.id)
        ORDER BY p.id
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
    private static let requestComplete = Statement(
        """
        UPDATE control.notice_times t
        SET due_at = greatest(clock_timestamp(), t.searched_at + interval '1 minute'), complete_at = clock_timestamp()
        FROM (
            SELECT id FROM control.notice_times
            WHERE id = ANY ($1) OR id IN (SELECT id FROM control.workspaces WHERE organization_id = ANY ($1))
            ORDER BY id FOR UPDATE
        ) l WHERE t.id = l.id
        """
    )
    private static let requestAll = Statement(
        "UPDATE control.notice_times SET due_at = clock_timestamp(), complete_at = clock_timestamp()"
    )
    /// Of many databases that are due at once, a small part is claimed at a time, because each search can open a connection.
    ///
    /// A database of which a search was not ended is due again two minutes after its claim.
    private static let claim = Statement(
        """
        WITH due AS (
            SELECT t.id, t.complete_at <= statement_timestamp() AS is_complete
            FROM control.notice_times t LEFT JOIN control.workspaces w ON w.id = t.id
            WHERE t.due_at <= statement_timestamp() AND coalesce(w.cluster_id, $3) <> ALL ($2)
            ORDER BY t.due_at
            LIMIT (SELECT least($1::bigint, 2 + count(*) / 600) FROM control.notice_times c WHERE c.due_at <= statement_timestamp())
            FOR UPDATE OF t SKIP LOCKED
        )
        UPDATE control.notice_times t SET searched_at = statement_timestamp(), due_at = statement_timestamp() + interval '2 minutes'
        FROM due
        LEFT JOIN control.workspaces w ON w.id = due.id
        LEFT JOIN control.organizations o ON o.id = coalesce(w.organization_id, due.id)
        WHERE t.id = due.id
        RETURNING t.id, due.is_complete, w.state, o.id, o.expiry_notice_days, o.unused_after_days, w.cluster_id, t.searched_at
        """
    )
    /// Ends the search of one claim.
    ///
    /// A request of the meantime has moved the times of the claim, and stays.
    private static let end = Statement(
        """
        UPDATE control.notice_times SET
            due_at = CASE WHEN due_at <> searched_at + interval '2 minutes' THEN due_at ELSE greatest(
                statement_timestamp(),
                least(statement_timestamp() + $3::bigint * interval '1 microsecond', \(nextComplete))
            ) END,
            complete_at = \(nextComplete)
        WHERE id = $1 AND searched_at = $2
        """
    )
    private static let nextComplete = """
        CASE WHEN complete_at <= searched_at AND $4::bigint IS NOT NULL
            THEN statement_timestamp() + $4::bigint * interval '1 microsecond' ELSE complete_at END
        """
    private static let remove = Statement(
        "DELETE FROM control.notice_times WHERE id = $1 AND due_at = searched_at + interval '2 minutes'"
    )

    /// A database that this node is to search.
    struct Place: Sendable {
        /// The workspace, or the organization of admin keys.
        let id: UUID
        let organizationID: UUID
        /// The cluster of the workspace's database; that of ``SearchSlots/control`` for the admin keys of an organization.
        let clusterID: UUID
        let settings: NoticeSettings
        /// The instant of the claim.
        let claimedAt: PostgresTimestamp
        /// True to look for unused keys, too.
        let isComplete: Bool

        var isWorkspace: Bool { id != organizationID }
    }

    /// Adds the workspaces and organizations that are new or were away.
    ///
    /// Their first searches are spread over an hour: each opens a connection, and a new workspace has no key. A change of a key makes the search
    /// of its database due at once.
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
    func requestAll() async throws(PostgresError) { try await connection.query(Self.requestAll) }

    /// Takes searches that are due.
    ///
    /// - Parameters:
    ///   - limit: The maximum number.
    ///   - clusters: The clusters of which no search is taken.
    /// - Returns: The searches to make, and the number of those that were due.
    /// - Throws: The database's errors.
    func claim(upTo limit: Int, except clusters: [UUID]) async throws -> (places: [Place], count: Int) {
        let rows = try await connection.query(Self.claim, [limit, clusters, SearchSlots.control])
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
                    clusterID: try row.decode(6, as: UUID?.self) ?? SearchSlots.control,
                    settings: NoticeSettings(
                        expiryDays: try row.decode(4, as: [Int64]?.self) ?? standard.expiryDays,
                        unusedAfterDays: try row.decode(5, as: Int64?.self) ?? standard.unusedAfterDays
                    ),
                    claimedAt: try row.decode(7),
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
            [place.id, place.claimedAt, next.wholeMicroseconds, nextComplete?.wholeMicroseconds]
        )
    }
}
