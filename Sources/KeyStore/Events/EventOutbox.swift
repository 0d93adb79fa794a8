package import Postgres

/// The outbox of one database: its events that have not been turned into deliveries of webhooks.
///
/// A trigger of the database adds each event in the transaction of its change.
package struct EventOutbox: Sendable {
    private let connection: PostgresConnection

    /// Creates an outbox over a connection.
    package init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    /// An event of the outbox.
    package struct Entry: Sendable {
        /// The event's place in the order of its database.
        package let sequence: Int64
        /// The event; `nil` if it was deleted because of its age.
        package let event: EventRecord?
    }

    private static let read = Statement(
        """
        SELECT o.sequence, e.id IS NOT NULL, \(columns) FROM auth.event_outbox o
        LEFT JOIN auth.key_events e ON e.id = o.event_id ORDER BY o.sequence LIMIT $1
        """
    )
    private static let columns = EventRecord.columns.split(separator: ", ").map { "e.\($0)" }.joined(separator: ", ")
    private static let remove = Statement("DELETE FROM auth.event_outbox WHERE sequence = ANY ($1)")
    private static let removeOld = Statement(
        """
        DELETE FROM auth.event_outbox WHERE sequence IN (
            SELECT sequence FROM auth.event_outbox WHERE sequence <= $1 ORDER BY sequence LIMIT 1000
        )
        """
    )
    private static let newest = Statement("SELECT max(sequence) FROM auth.event_outbox")

    /// Returns the oldest entries, in their order.
    package func read(limit: Int) async throws -> [Entry] {
        try await connection.query(Self.read, [limit])
            .map { row in
                let isKept = try row.decode(1, as: Bool.self)
                return Entry(sequence: try row.decode(0), event: isKept ? try EventRecord(row: row, from: 2) : nil)
            }
    }

    /// Removes entries whose deliveries are committed.
    package func remove(_ sequences: [Int64]) async throws(PostgresError) {
        try await connection.query(Self.remove, [sequences])
    }

    /// Removes up to a thousand entries that no webhook wants.
    ///
    /// - Parameter last: The newest entry to remove.
    /// - Returns: The number of removed entries.
    /// - Throws: The database's errors.
    package func removeOldest(upTo last: Int64) async throws(PostgresError) -> Int {
        try await connection.query(Self.removeOld, [last]).affectedRows
    }

    /// Returns the sequence of the newest entry, or `nil` if the outbox is empty.
    package func newest() async throws(PostgresError) -> Int64? {
        guard let row = try await connection.query(Self.newest).first else { return nil }
        return try row.decode(0)
    }
}
