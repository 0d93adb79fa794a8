public import Keys
public import Postgres

/// An open transaction that records its changes as events: the only writer of `auth.key_events`.
///
/// Stores take one wherever they write, so a change and its event commit together or neither does. Only
/// ``Postgres/PostgresConnection/auditedTransaction(_:)`` creates one.
public struct AuditedTransaction: Sendable {
    /// The connection that the transaction is open on.
    public let connection: PostgresConnection

    fileprivate init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    /// A conflict is an event that an earlier attempt has copied already; a new event has an id of its own.
    private static let insert = Statement(
        """
        INSERT INTO auth.key_events (\(EventRecord.columns)) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (id) DO NOTHING
        """
    )

    /// `clock_timestamp`, not `now`: a transaction that waited for a lock must not judge by the time at which it began.
    private static let clock = Statement("SELECT clock_timestamp()")

    /// Returns the database's time.
    public func now() async throws -> Timestamp {
        try await connection.query(Self.clock).first.orMissing().timestamp(0)
    }

    /// Records an event of this transaction's change.
    ///
    /// - Throws: `decoding` if the database has an event of this id, and the database's errors.
    public func record(_ event: EventRecord) async throws {
        let inserted = try await connection.query(Self.insert, event.values)
        guard inserted.affectedRows == 1 else {
            throw PostgresError(.decoding, "an event of this id exists already")
        }
    }

    /// Copies an event of another database, unless an earlier attempt has copied it.
    package func copy(_ event: EventRecord) async throws {
        try await connection.query(Self.insert, event.values)
    }
}

extension PostgresConnection {
    /// Runs a transaction that records its changes as events, and commits it if `body` returns.
    ///
    /// - Throws: What `body` and ``PostgresConnection/transaction(_:_:)`` throw.
    public func auditedTransaction<T>(_ body: (AuditedTransaction) async throws -> T) async throws -> T {
        try await transaction(.default) { try await body(AuditedTransaction($0)) }
    }
}
