import Crypto
public import Postgres

/// A lock that a session holds on a name, in one database, until it gives it back or ends.
///
/// It is asked for again and again instead of waited for with `pg_advisory_lock`: a session that waits inside a statement holds a
/// snapshot, `CREATE INDEX CONCURRENTLY` waits for every older snapshot, and so the holder that builds an index and
/// the session that waits for the holder would wait for each other.
public struct AdvisoryLock: Sendable {
    /// What the lock is for; the name is part of the error when it is taken.
    public let name: String
    private let key: Int64

    /// Names a lock.
    ///
    /// Names are hashed to 64 bits, so unrelated users of one database do not meet.
    public init(_ name: String) {
        self.name = name
        key = SHA256.hash(data: Array("mortise \(name)".utf8)).prefix(8).reduce(0) { $0 << 8 | Int64($1) }
    }

    /// Another session holds the lock and kept it past the deadline.
    public struct Taken: Error, Sendable, CustomStringConvertible {
        /// The lock's name.
        public let lock: String
        /// The session that holds it, as far as `pg_stat_activity` shows it to this role.
        public let holder: String?

        /// Names the lock and its holder.
        public var description: String {
            "the lock on \(lock) is held by \(holder ?? "another session") and was not released in time"
        }
    }

    private static let attempt = Statement("SELECT pg_try_advisory_lock($1)", prepared: false)
    private static let release = Statement("SELECT pg_advisory_unlock($1)", prepared: false)

    /// pg_locks shows a bigint key as its upper half in classid, its lower half in objid, and 1 in objsubid.
    private static let holder = Statement(
        """
        SELECT concat_ws(' ', 'process', a.pid::text, 'of role', a.usename, 'application', quote_literal(a.application_name),
            'at', a.client_addr::text, 'connected since', to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS OF'))
        FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND l.classid::bigint = (($1::bigint >> 32) & 4294967295) AND l.objid::bigint = ($1::bigint & 4294967295)
        """,
        prepared: false
    )

    /// Takes the lock for a connection's session, which must not change hands until `unlock`.
    ///
    /// - Parameters:
    ///   - connection: a session of its own: behind PgBouncer in transaction mode this would lock somebody else's.
    ///   - patience: how long to go on asking.
    /// - Throws: `Taken` when it stays taken, `CancellationError`; `PostgresError`, after which the connection is closed.
    public func lock(on connection: PostgresConnection, patience: Duration) async throws {
        let deadline = ContinuousClock.now.advanced(by: patience)
        var pause = Duration.milliseconds(5)
        while true {
            if try await isTaken(on: connection) { return }
            guard ContinuousClock.now.advanced(by: pause) < deadline else { break }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(250))
        }
        throw Taken(lock: name, holder: try await connection.query(Self.holder, [key]).first?.decode(0))
    }

    /// Asks once.
    ///
    /// A statement that was cancelled or ran out of time may have taken the lock before: a session's locks outlive the statement's end, so
    /// the session ends too.
    private func isTaken(on connection: PostgresConnection) async throws -> Bool {
        do {
            return try await connection.query(Self.attempt, [key]).first?.decode(0, as: Bool.self) == true
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Gives the lock back.
    ///
    /// Where that fails, or the task is cancelled, the connection is closed, which gives it back too.
    public func unlock(on connection: PostgresConnection) async {
        do throws(PostgresError) {
            if try await connection.query(Self.release, [key]).first?.decode(0, as: Bool.self) == true { return }
        } catch {
            // Whatever it was, the session still has the lock or is gone.
        }
        await connection.close()
    }

    /// Holds the lock around some work.
    ///
    /// - Throws: what `lock` and the work throw.
    public func withLock<T>(
        on connection: PostgresConnection,
        patience: Duration,
        _ body: () async throws -> T
    ) async throws -> T {
        try await lock(on: connection, patience: patience)
        return try await withResource(connection) { _ in
            try await body()
        } close: {
            await unlock(on: $0)
        }
    }
}
