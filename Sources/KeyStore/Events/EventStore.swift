public import FoundationEssentials
import Keys
public import Postgres

/// The audit log of one database, for reading.
///
/// Events are written by ``AuditedTransaction`` alone. Nobody can delete an event of the last 90 days.
public struct EventStore: Sendable {
    let connection: PostgresConnection

    /// Creates a store over a connection.
    public init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    private static let find = Statement("SELECT \(EventRecord.columns) FROM auth.key_events WHERE id = $1")

    private static let list = Statement(
        """
        SELECT \(EventRecord.columns) FROM auth.key_events
        WHERE ($1::uuid IS NULL OR key_id = $1) AND ($2::text IS NULL OR type = $2) AND ($3::text[] IS NULL OR actor = ANY ($3))
          AND ($4::timestamptz IS NULL OR occurred_at >= $4) AND ($5::timestamptz IS NULL OR occurred_at < $5)
          AND ($6::uuid IS NULL OR organization_id = $6)
          AND (NOT $7 OR organization_id IS NULL AND workspace_id IS NULL)
          AND ($8::uuid IS NULL OR id < $8)
        ORDER BY id DESC
        LIMIT $9
        """
    )

    private static let deleteOld = Statement(
        "SELECT auth.delete_old_events(now() - make_interval(days => $1), 1000)"
    )

    /// Deletes up to a thousand of the events that are older than a number of days.
    ///
    /// - Parameter days: The number of days. The database keeps the events of the last 90 days in any case.
    /// - Returns: The number of deleted events.
    /// - Throws: The database's errors.
    public func deleteOld(olderThanDays days: Int) async throws(PostgresError) -> Int {
        try await connection.query(Self.deleteOld, [Int32(clamping: days)]).first?.decode(0, as: Int.self) ?? 0
    }

    /// Returns an event, or `nil` if the database has none of that id.
    package func find(_ id: UUID) async throws(PostgresError) -> EventRecord? {
        guard let row = try await connection.query(Self.find, [id]).first else { return nil }
        return try EventRecord(row: row)
    }

    /// Returns events, newest first.
    ///
    /// - Parameters:
    ///   - filter: The filter.
    ///   - cursor: The event that the list continues after; `nil` begins with the newest event.
    ///   - limit: The maximum number of events.
    /// - Returns: The events.
    /// - Throws: The database's errors.
    public func list(_ filter: EventFilter, after cursor: UUID?, limit: Int) async throws -> [EventRecord] {
        let (organization, isPlatformOnly): (UUID?, Bool) =
            switch filter.scope {
            case .database: (nil, false)
            case .organization(let id): (id, false)
            case .platform: (nil, true)
            }
        let rows = try await connection.query(
            Self.list,
            [
                filter.keyID, filter.type, filter.actors, filter.since?.stored, filter.until?.stored, organization,
                isPlatformOnly, cursor, limit,
            ]
        )
        return try rows.map { try EventRecord(row: $0) }
    }
}

extension EventRecord {
    /// The columns that `init(row:)` reads and `values` fills, in their order.
    static let columns =
        "id, workspace_id, organization_id, key_id, key_name, type, actor, address, request_id, occurred_at, changes"

    /// Reads a row, whose columns begin at an index.
    init(row: Row, from first: Int = 0) throws(PostgresError) {
        id = try row.decode(first)
        workspaceID = try row.decode(first + 1)
        organizationID = try row.decode(first + 2)
        keyID = try row.decode(first + 3)
        keyName = try row.decode(first + 4)
        type = try row.decode(first + 5)
        actor = try row.decode(first + 6)
        address = try row.decode(first + 7)
        requestID = try row.decode(first + 8)
        occurredAt = try row.timestamp(first + 9)
        changes = try row.decode(first + 10, as: PostgresJSON.self).text
    }

    /// The values of `columns`.
    var values: [any PostgresEncodable] {
        [
            id, workspaceID, organizationID, keyID, keyName, type, actor, address, requestID, occurredAt.stored,
            PostgresJSON(changes),
        ]
    }
}
