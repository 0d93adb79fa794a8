import LibPQ
import Locks
public import Logging

/// A connection to a PostgreSQL server, for the task that opened it or leased it from a pool.
///
/// Concurrent statements of one connection are pipelined: each is sent without waiting for the answers of the statements before it. Each
/// is its own transaction unless a transaction is open, and the failure of one does not harm the others.
///
/// The statement is cancelled on the server when the calling task is cancelled or the deadline passes, and the connection stays usable.
public final class PostgresConnection: Sendable {
    let session: Session
    let configuration: PostgresConfiguration
    let spans: ClientSpans?
    let gate: CommitGate?

    private init(session: Session, configuration: PostgresConfiguration, spans: ClientSpans?, gate: CommitGate?) {
        self.session = session
        self.configuration = configuration
        self.spans = spans
        self.gate = gate
    }

    deinit {
        // The reactor would keep an open session forever.
        session.retire()
    }

    /// Opens a connection.
    ///
    /// Statements of the connection are traced if a tracer is installed when this method is called.
    ///
    /// - Parameters:
    ///   - configuration: The server, the database and the role.
    ///   - reactor: The thread that serves the connection.
    ///   - logger: Receives the server's notices at level `debug`.
    /// - Returns: The open connection. It is closed when its last reference goes, if not before.
    /// - Throws: `connectFailed`, with an `sqlState` if the reason is known. `cancelled` if the task is cancelled meanwhile.
    public static func connect(
        _ configuration: PostgresConfiguration,
        reactor: Reactor,
        logger: Logger
    ) async throws(PostgresError) -> PostgresConnection {
        try await connect(configuration, reactor: reactor, logger: logger, spans: ClientSpans(configuration))
    }

    static func connect(
        _ configuration: PostgresConfiguration,
        reactor: Reactor,
        logger: Logger,
        spans: ClientSpans?,
        gate: CommitGate? = nil
    ) async throws(PostgresError) -> PostgresConnection {
        if Task.isCancelled { throw .taskCancelled }
        let waiter = Waiter<Void>()
        var bounded = configuration
        bounded.connectDeadline = PostgresDeadline.limit(configuration.connectDeadline)
        let session = Session(bounded, policy: .everyQuery, reactor: reactor, logger: logger) { outcome in
            waiter.finish(outcome)
        }
        do throws(PostgresError) {
            try await waiter.value(onCancel: {
                waiter.finish(.failure(.taskCancelled))
                session.closeNow(.taskCancelled)
            })
        } catch {
            session.closeNow(error)
            throw error
        }
        return PostgresConnection(session: session, configuration: configuration, spans: spans, gate: gate)
    }

    /// Executes a statement and returns its rows.
    ///
    /// A cancelled task cancels the statement on the server, and this method throws `cancelled` once the server has stopped it.
    ///
    /// - Parameters:
    ///   - statement: The statement. The connection prepares it at its first use.
    ///   - parameters: The values of `$1`, `$2`, …
    ///   - deadline: The maximum time. Defaults to the configuration's `queryDeadline`.
    /// - Returns: The rows, and the number of affected rows.
    /// - Throws: `server` with the server's error, `connectionLost`, `deadlineExceeded`, `cancelled`, `queueFull` or `closed`.
    @discardableResult
    public func query(
        _ statement: Statement,
        _ parameters: [any PostgresEncodable] = [],
        deadline: Duration? = nil
    ) async throws(PostgresError) -> Rows {
        let work = Request.Work.query(statement, ParameterBuffer(parameters))
        let deadline = deadline ?? configuration.queryDeadline
        guard let spans else { return try await session.run(work, deadline: deadline) }
        return try await spans.statement(statement) { () async throws(PostgresError) in
            try await session.run(work, deadline: deadline)
        }
    }

    /// Executes SQL by the simple protocol: one or more statements without parameters.
    ///
    /// Several statements are one transaction, unless the SQL has transactions of its own. A script can also contain statements that
    /// cannot run in a pipeline.
    ///
    /// - Parameters:
    ///   - sql: The statements, separated by semicolons.
    ///   - deadline: The maximum time of all statements together. Defaults to the configuration's `queryDeadline`.
    /// - Throws: The errors of ``query(_:_:deadline:)``, also `cancelled` if the task is cancelled: the server then stops the statement
    ///   that it works on, and executes none after it.
    public func script(_ sql: String, deadline: Duration? = nil) async throws(PostgresError) {
        let deadline = deadline ?? configuration.queryDeadline
        guard let spans else {
            _ = try await session.run(.script(sql), deadline: deadline)
            return
        }
        _ = try await spans.operation("SCRIPT") { () async throws(PostgresError) in
            try await session.run(.script(sql), deadline: deadline)
        }
    }

    /// Starts to listen to a channel.
    ///
    /// The notifications of the channel arrive in ``notifications``.
    ///
    /// A pool closes a connection that listens when the connection comes back: no other caller expects its notifications.
    ///
    /// - Parameter channel: The name of the channel, unquoted.
    /// - Throws: The errors of ``query(_:_:deadline:)``, whose deadline and cancellation apply.
    public func listen(_ channel: String) async throws(PostgresError) {
        session.wire.withLock { $0.isListening = true }
        try await script("LISTEN \(Self.quote(identifier: channel))")
    }

    /// The notifications of the channels that the connection listens to, for one consumer.
    ///
    /// The stream ends with the connection. It keeps at most 1024 unread notifications, and drops the oldest ones.
    public var notifications: AsyncStream<PostgresNotification> { session.notifications }

    /// True if the connection accepts statements.
    ///
    /// The connection notices at once that the server closed it, also when idle.
    public var isUsable: Bool { session.isUsable }

    /// The server's version as a number: 150018 is 15.18.
    ///
    /// The value is 0 if the connection is closed.
    public var serverVersion: Int { session.wire.withLock { $0.connection?.serverVersion ?? 0 } }

    /// The server process of this connection.
    ///
    /// The value is 0 if the connection is closed.
    public var backendProcessID: Int32 { session.wire.withLock { $0.connection?.backendProcessID ?? 0 } }

    /// Closes the connection.
    ///
    /// Callers that still wait for an answer get `closed`. The call does not wait, so a cancellation has no effect on it.
    public func close() async {
        session.retire()
    }

    /// Returns a verifier for `ALTER ROLE … PASSWORD '…'`.
    ///
    /// With a verifier, the password itself reaches neither the server's log nor its statistics.
    ///
    /// - Parameters:
    ///   - user: The name of the role.
    ///   - password: The password. It does not leave this process.
    /// - Returns: The verifier for SCRAM-SHA-256.
    /// - Throws: `protocolViolation` if the connection is closed.
    public func passwordVerifier(user: String, password: String) throws(PostgresError) -> String {
        do throws(LibPQError) {
            return try session.wire.withLock { wire throws(LibPQError) in
                guard let connection = wire.connection else { throw LibPQError.notConnected }
                return try connection.encryptedPassword(password, user: user, algorithm: "scram-sha-256")
            }
        } catch {
            throw PostgresError(error)
        }
    }

    /// Returns a name in double quotes, as SQL writes it.
    public static func quote(identifier: String) -> String {
        "\"" + identifier.escaping(by: "\"") { $0 == "\"" } + "\""
    }

    /// Returns a text in single quotes, as SQL writes it.
    ///
    /// Use it for statements that take no parameters.
    ///
    /// The result assumes `standard_conforming_strings`, which is the default since PostgreSQL 9.1. Backslashes mean themselves with
    /// either value of that setting.
    public static func quote(literal: String) -> String {
        let quoted = literal.escaping(by: "'") { $0 == "'" }
        guard literal.unicodeScalars.contains("\\") else { return "'\(quoted)'" }
        return " E'" + quoted.escaping(by: "\\") { $0 == "\\" } + "'"
    }
}

extension ParameterBuffer {
    /// Encodes the values.
    init(_ values: [any PostgresEncodable]) {
        self.init()
        for value in values {
            if value.isPostgresNull {
                appendNull(type: type(of: value).postgresType)
            } else {
                append(type: type(of: value).postgresType) { value.encode(into: &$0) }
            }
        }
    }
}
