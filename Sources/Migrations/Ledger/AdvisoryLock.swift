import Crypto
public import Postgres

/// An advisory lock on a name in one database.
///
/// A session holds the lock until it releases the lock or ends.
///
/// A session tries to take the lock again and again, instead of waiting in `pg_advisory_lock`. A session that waits inside a statement
/// holds a snapshot, and `CREATE INDEX CONCURRENTLY` waits for every older snapshot. So a holder that builds an index and a session that
/// waits for the lock would wait for each other.
public struct AdvisoryLock: Sendable {
    /// The name of the lock.
    ///
    /// The error for a taken lock contains the name.
    public let name: String
    private let key: Int64

    /// Creates a lock.
    ///
    /// The name is hashed to 64 bits, so unrelated programs in one database do not use the same lock.
    public init(_ name: String) {
        self.name = name
        key = SHA256.hash(data: Array("mortise \(name)".utf8)).prefix(8).reduce(0) { $0 << 8 | Int64($1) }
    }

    /// The error that another session holds the lock and did not release it in time.
    public struct Taken: Error, Sendable, CustomStringConvertible {
        /// The name of the lock.
        public let lock: String
        /// The session that holds the lock, as far as `pg_stat_activity` shows it to this role.
        public let holder: String?

        /// A sentence with the lock and its holder.
        public var description: String {
            "\(holder ?? "another session") holds the lock \(lock) and did not release it in time"
        }
    }

    /// The sessions that hold the lock and do nothing, of the roles `$2`.
    private static let endIdleHolder = Statement(
        """
        SELECT pg_terminate_backend(a.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND a.pid <> pg_backend_pid()
            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND l.classid::bigint = (($1::bigint >> 32) & 4294967295) AND l.objid::bigint = ($1::bigint & 4294967295)
            AND a.usename = current_user AND a.state <> 'active'
            AND clock_timestamp() - a.state_change >= make_interval(secs => $2)
        """,
        prepared: false
    )

    /// Ends the session that holds the lock, if it belongs to the same role and has sent no statement for some time.
    ///
    /// The program of such a session is paused or gone. It can wake up: whatever it does over other connections must be harmless then.
    ///
    /// - Parameters:
    ///   - connection: A connection to the lock's database.
    ///   - idle: The time without a statement.
    /// - Returns: True if a session was ended.
    /// - Throws: The database's errors.
    public func endIdleHolder(
        on connection: PostgresConnection,
        after idle: Duration
    ) async throws(PostgresError) -> Bool {
        let seconds = Double(idle.components.seconds) + Double(idle.components.attoseconds) / 1e18
        return try await !connection.query(Self.endIdleHolder, [key, seconds]).isEmpty
    }

    private static let attempt = Statement("SELECT pg_try_advisory_lock($1)", prepared: false)
    private static let release = Statement("SELECT pg_advisory_unlock($1)", prepared: false)

    /// The session that holds a lock.
    ///
    /// `pg_locks` shows a bigint key as its upper half in classid, its lower half in objid, and 1 in objsubid.
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

    /// Takes the lock for the session of a connection.
    ///
    /// The connection must not go back to a pool before `unlock`.
    ///
    /// Within a `PostgresDeadline`, the wait can be shorter.
    ///
    /// - Parameters:
    ///   - connection: A connection with a session of its own. Behind PgBouncer in transaction mode, another client would get the lock.
    ///   - patience: The maximum wait.
    /// - Throws: `Taken` if the lock is not released in time. `CancellationError` if the task is cancelled. `PostgresError` if a statement
    ///   fails, after which the connection is closed.
    public func lock(on connection: PostgresConnection, patience: Duration) async throws {
        let deadline = ContinuousClock.now.advanced(by: PostgresDeadline.limit(patience))
        var pause = Duration.milliseconds(5)
        while true {
            if try await isTaken(on: connection) { return }
            guard ContinuousClock.now.advanced(by: pause) < deadline else { break }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(250))
        }
        throw Taken(lock: name, holder: try await connection.query(Self.holder, [key]).first?.decode(0))
    }

    /// Tries to take the lock once.
    ///
    /// A statement that was cancelled or ran out of time can have taken the lock before it ended. A session keeps such a lock, so the
    /// connection is closed.
    private func isTaken(on connection: PostgresConnection) async throws -> Bool {
        do {
            return try await connection.query(Self.attempt, [key]).first?.decode(0, as: Bool.self) == true
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Releases the lock.
    ///
    /// If the statement fails or the task is cancelled, the connection is closed, which releases the lock too.
    public func unlock(on connection: PostgresConnection) async {
        do throws(PostgresError) {
            if try await connection.query(Self.release, [key]).first?.decode(0, as: Bool.self) == true { return }
        } catch {
            // The session still has the lock, or has ended.
        }
        await connection.close()
    }

    /// Takes the lock, runs `body` and releases the lock.
    ///
    /// - Parameters:
    ///   - connection: A connection with a session of its own.
    ///   - patience: The maximum wait for the lock.
    ///   - body: The work.
    /// - Returns: The value that `body` returns.
    /// - Throws: The errors of ``lock(on:patience:)``, or the error of `body`.
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
