import FoundationEssentials
import Postgres
import Tenancy

/// A database whose events can be for webhooks.
enum EventSource: Sendable, Hashable {
    /// The control database, with the events of organizations and of admin keys.
    case control
    /// A workspace's database.
    case workspace(UUID)

    /// The id of the control database's row.
    private static let controlID = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))

    init(id: UUID) {
        self = id == Self.controlID ? .control : .workspace(id)
    }

    /// The id of the row.
    var id: UUID {
        switch self {
        case .control: Self.controlID
        case .workspace(let id): id
        }
    }
}

/// The databases that can have events for webhooks, as the control database lists them.
///
/// Only marked workspaces are read, so Mortise needs no connection to each workspace.
struct EventSources: Sendable {
    let connection: PostgresConnection

    /// The time of a lease.
    ///
    /// A node that dies is replaced after it.
    static let lease = Duration.seconds(10)

    /// The row is written only for an organization with a webhook.
    ///
    /// The next read is at once.
    private static let mark = Statement(
        """
        INSERT INTO control.event_sources AS s (id)
        SELECT $1 WHERE EXISTS (SELECT FROM control.webhooks WHERE organization_id = $2 AND disabled_at IS NULL)
        ON CONFLICT (id) DO UPDATE SET marked_at = clock_timestamp(), due_at = least(s.due_at, clock_timestamp())
        """
    )
    /// The workspaces are marked in one order, so two concurrent marks of an organization cannot deadlock.
    private static let markAll = Statement(
        """
        INSERT INTO control.event_sources AS s (id)
        SELECT id FROM control.workspaces
        WHERE organization_id = $1 AND ($2::uuid IS NULL OR id = $2) AND state IN ('active', 'suspended')
        ORDER BY id
        ON CONFLICT (id) DO UPDATE SET marked_at = clock_timestamp(), due_at = least(s.due_at, clock_timestamp())
        """
    )
    /// A source that this node was told of is due.
    ///
    /// The sources of a cluster take turns with those of the others, and have a limited part. A source that this node still reads is not
    /// claimed again, even if its lease has ended. A workspace that was deleted has no cluster, like the control database.
    ///
    /// `statement_timestamp()` bounds the scan of an index. `clock_timestamp()` is volatile and cannot: each claim would read all marked
    /// workspaces.
    private static let claim = Statement(
        """
        WITH due AS (
            SELECT s.id, w.cluster_id, least(s.due_at, statement_timestamp()) AS due_at, row_number() OVER (
                PARTITION BY w.cluster_id ORDER BY least(s.due_at, statement_timestamp()), s.id
            ) AS turn
            FROM control.event_sources s LEFT JOIN control.workspaces w ON w.id = s.id
            WHERE (s.due_at <= statement_timestamp() OR s.id = ANY ($2)) AND s.id <> ALL ($7)
              AND (s.leased_until IS NULL OR s.leased_until < statement_timestamp())
        ), chosen AS (
            SELECT d.id, d.cluster_id, row_number() OVER (ORDER BY d.turn, d.due_at, d.id) AS place
            FROM due d LEFT JOIN unnest($3::uuid[], $4::bigint[]) AS c (id, rest) ON c.id = d.cluster_id
            WHERE d.cluster_id IS NULL OR d.turn <= coalesce(c.rest, $5::bigint)
        ), locked AS (
            SELECT s.id, c.cluster_id FROM control.event_sources s JOIN chosen c ON c.id = s.id
            WHERE c.place <= $6::bigint AND (s.leased_until IS NULL OR s.leased_until < statement_timestamp())
            FOR UPDATE OF s SKIP LOCKED
        )
        UPDATE control.event_sources s SET leased_by = $1, leased_until = clock_timestamp() + interval '10 seconds'
        FROM locked l WHERE s.id = l.id
        RETURNING s.id, l.cluster_id
        """
    )
    /// The longer a source had no event, the later the next read.
    private static let release = Statement(
        """
        UPDATE control.event_sources SET leased_by = NULL, leased_until = NULL,
            due_at = clock_timestamp() + CASE
                WHEN $3::boolean THEN interval '0'
                WHEN $4::boolean OR marked_at = 'infinity' THEN interval '1 second' * CASE WHEN $4 THEN 10 ELSE 1 END
                ELSE greatest(least((clock_timestamp() - marked_at) / 4, interval '10 seconds'), interval '0.5 seconds')
            END
        WHERE id = $1 AND leased_by = $2
        """
    )
    /// A mark of the meantime keeps the row.
    private static let removeQuiet = Statement(
        """
        DELETE FROM control.event_sources
        WHERE id = $1 AND leased_by = $2 AND marked_at < clock_timestamp() - interval '60 seconds'
        """
    )
    private static let remove = Statement("DELETE FROM control.event_sources WHERE id = $1")
    private static let missing = Statement(
        """
        SELECT h.id FROM unnest($1::uuid[]) AS h (id)
        WHERE NOT EXISTS (SELECT FROM control.event_sources s WHERE s.id = h.id)
        """
    )

    /// Marks a workspace whose organization has a webhook.
    ///
    /// - Parameter workspace: The workspace.
    /// - Returns: False if the organization has no enabled webhook.
    /// - Throws: The database's errors.
    @discardableResult
    func mark(_ workspace: WorkspaceFacts) async throws(PostgresError) -> Bool {
        try await connection.query(Self.mark, [workspace.workspaceID, workspace.organizationID]).affectedRows > 0
    }

    /// Marks the workspaces of an organization, for a webhook that is new.
    ///
    /// A node does not mark a workspace twice within a few seconds. Without this mark, it would know nothing of the webhook.
    func markAll(of organization: UUID, only workspace: UUID?) async throws(PostgresError) {
        try await connection.query(Self.markAll, [organization, workspace])
    }

    /// Leases sources that are due.
    ///
    /// - Parameters:
    ///   - node: The node.
    ///   - hints: The sources that are due whatever their time is.
    ///   - shares: The numbers of sources.
    /// - Returns: The sources.
    /// - Throws: The database's errors.
    func claim(by node: UUID, including hints: [UUID], _ shares: RelayShares) async throws -> [ClaimedSource] {
        let clusters = Array(shares.clusters)
        let clusterIDs: [UUID] = clusters.map(\.key)
        let rests: [Int64] = clusters.map { Int64($0.value) }
        let rows = try await connection.query(
            Self.claim,
            [node, hints, clusterIDs, rests, shares.perCluster, shares.count, Array(shares.sources)]
        )
        return try rows.map { ClaimedSource(source: EventSource(id: try $0.decode(0)), clusterID: try $0.decode(1)) }
    }

    /// Returns the sources that are not marked, so that no node can lease them.
    ///
    /// - Throws: The database's errors.
    func missing(among sources: Set<UUID>) async throws(PostgresError) -> [UUID] {
        var missing: [UUID] = []
        for row in try await connection.query(Self.missing, [Array(sources)]) { missing.append(try row.decode(0)) }
        return missing
    }

    /// The outcome of reading a source.
    enum Outcome: Sendable {
        /// The source can have more events at this moment.
        case more
        /// The source had no further event.
        case empty
        /// The source could not be read.
        case failed
        /// The workspace was deleted.
        case gone
    }

    /// Ends a lease.
    func release(_ source: EventSource, by node: UUID, _ outcome: Outcome) async throws(PostgresError) {
        switch outcome {
        case .gone: try await connection.query(Self.remove, [source.id])
        case .empty:
            let removed = try await connection.query(Self.removeQuiet, [source.id, node]).affectedRows
            if removed == 0 { try await connection.query(Self.release, [source.id, node, false, false]) }
        case .more: try await connection.query(Self.release, [source.id, node, true, false])
        case .failed: try await connection.query(Self.release, [source.id, node, false, true])
        }
    }
}
