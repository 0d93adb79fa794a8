import FoundationEssentials
public import Keys
public import Postgres
import Synchronization

/// An open transaction that records its changes as events: the only writer of `auth.key_events`.
///
/// Stores take one wherever they write, so a change and its event commit together or neither does. Only
/// ``Postgres/PostgresConnection/auditedTransaction(_:)`` creates one.
public struct AuditedTransaction: Sendable {
    /// The connection that the transaction is open on.
    public let connection: PostgresConnection

    /// True once the transaction has inserted an event, and so has something to commit.
    private let hasEvent = Flag()

    private final class Flag: Sendable {
        let value = Atomic<Bool>(false)
    }

    fileprivate init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    private static let insert = insertion(of: "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")

    /// Parameters: the values that all events have in common, and then a list for each of the others.
    private static let insertSeveral = insertion(
        of: """
            SELECT e.id, $1, $2, e.key_id, e.key_name, e.type, $3, $4, $5, $6, e.changes::jsonb
            FROM unnest($7::uuid[], $8::uuid[], $9::text[], $10::text[], $11::text[]) e (id, key_id, key_name, type, changes)
            """
    )

    /// Returns the statement that inserts events.
    ///
    /// A conflict is an event that an earlier attempt has copied already; a new event has an id of its own.
    private static func insertion(of rows: String) -> Statement {
        Statement("INSERT INTO auth.key_events (\(EventRecord.columns)) \(rows) ON CONFLICT (id) DO NOTHING")
    }

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
        try note(inserted, of: 1)
    }

    /// Records the events of this transaction's change of several keys, in one statement.
    ///
    /// - Parameters:
    ///   - events: The events, at least one.
    ///   - workspaceID: The workspace of the keys; `nil` in the control database.
    ///   - organizationID: The organization of admin keys.
    ///   - attribution: The attribution of the events.
    ///   - now: The database's time at the change.
    /// - Throws: As ``record(_:)`` does.
    func record(
        _ events: [KeyEvent],
        in workspaceID: UUID?,
        of organizationID: UUID?,
        by attribution: Attribution,
        at now: Timestamp
    ) async throws {
        let inserted = try await connection.query(
            Self.insertSeveral,
            [
                workspaceID, organizationID, attribution.actor, attribution.address, attribution.requestID, now.stored,
                events.map(\.id), events.map(\.keyID), events.map(\.keyName), events.map(\.type.rawValue),
                events.map(\.changes.text),
            ]
        )
        try note(inserted, of: events.count)
    }

    /// Notes that the transaction has something to commit.
    private func note(_ inserted: Rows, of count: Int) throws(PostgresError) {
        guard inserted.affectedRows == count else {
            throw PostgresError(.decoding, "an event of this id exists already")
        }
        hasEvent.value.store(true, ordering: .relaxed)
    }

    /// Copies an event of another database, unless an earlier attempt has copied it.
    ///
    /// - Returns: False if an earlier attempt has copied it.
    @discardableResult
    package func copy(_ event: EventRecord) async throws -> Bool {
        let isNew = try await connection.query(Self.insert, event.values).affectedRows == 1
        if isNew { hasEvent.value.store(true, ordering: .relaxed) }
        return isNew
    }

    /// A record in the write-ahead log that nobody reads.
    ///
    /// It makes the commit wait for the synchronous standby.
    private static let mark = Statement("SELECT pg_logical_emit_message(true, 'mortise', '')")

    /// Makes the commit of a transaction that changed nothing wait as the commit of a change does.
    ///
    /// A repeated request finds the change of the first one, whose outcome can be unknown: committed here, and missing on the standby. A
    /// transaction that writes nothing would confirm that change at once. The log is replicated in order, so a commit that waits for its
    /// own record has waited for every change that it could see.
    fileprivate func confirm() async throws {
        if hasEvent.value.load(ordering: .relaxed) { return }
        try await connection.query(Self.mark)
    }
}

extension PostgresConnection {
    /// Runs a transaction that records its changes as events, and commits it if `body` returns.
    ///
    /// A transaction that changes nothing confirms what it saw: like a change, it is committed when the synchronous standby has it.
    ///
    /// - Throws: The errors of `body` and of ``PostgresConnection/transaction(_:_:)``.
    public func auditedTransaction<T>(_ body: (AuditedTransaction) async throws -> T) async throws -> T {
        try await transaction(.default) { connection in
            let transaction = AuditedTransaction(connection)
            let value = try await body(transaction)
            try await transaction.confirm()
            return value
        }
    }
}
