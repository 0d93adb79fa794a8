import LibPQ
public import Logging
import Synchronization

/// One connection, used by whoever opened or leased it.
///
/// Statements asked concurrently are pipelined: each is sent without waiting for the answers before it, each is its own transaction
/// unless one is open, and none is harmed by another's failure. When the asking task is cancelled or the deadline passes, the running
/// statement is cancelled on the server, and the connection stays usable.
public final class PostgresConnection: Sendable {
    let session: Session
    let configuration: PostgresConfiguration

    init(session: Session, configuration: PostgresConfiguration) {
        self.session = session
        self.configuration = configuration
    }

    deinit {
        // The reactor would keep an open session for ever.
        session.closeNow(.shutDown)
    }

    /// Opens a connection.
    ///
    /// - Throws: `connectFailed`, with an `sqlState` where the reason is known; `cancelled` when the task is cancelled meanwhile.
    public static func connect(
        _ configuration: PostgresConfiguration,
        reactor: Reactor,
        logger: Logger
    ) async throws(PostgresError) -> PostgresConnection {
        if Task.isCancelled { throw .taskCancelled }
        let waiter = Waiter<Void>()
        let session = Session(configuration, policy: .everyQuery, reactor: reactor, logger: logger) { outcome in
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
        return PostgresConnection(session: session, configuration: configuration)
    }

    /// Executes a statement and returns its rows.
    ///
    /// - Parameters:
    ///   - statement: the SQL; prepared at its first use on this connection.
    ///   - parameters: the values of `$1`, `$2`, …
    ///   - deadline: how long it may take; the configuration's `queryDeadline` by default.
    /// - Returns: the rows, and how many were affected.
    /// - Throws: the server's error, or `connectionLost`, `deadlineExceeded`, `cancelled`, `queueFull`, `closed`.
    @discardableResult
    public func query(
        _ statement: Statement,
        _ parameters: [any PostgresEncodable] = [],
        deadline: Duration? = nil
    ) async throws(PostgresError) -> Rows {
        try await session.run(
            .query(statement, ParameterBuffer(parameters)),
            deadline: deadline ?? configuration.queryDeadline
        )
    }

    /// Executes SQL by the simple protocol: several statements, and what cannot run in a pipeline.
    ///
    /// No parameters.
    public func script(_ sql: String, deadline: Duration? = nil) async throws(PostgresError) {
        _ = try await session.run(.script(sql), deadline: deadline ?? configuration.queryDeadline)
    }

    /// Starts to listen to a channel; notifications arrive in `notifications`.
    ///
    /// A connection of a pool is closed when it comes back, for nobody would read what it is still sent.
    public func listen(_ channel: String) async throws(PostgresError) {
        session.wire.withLock { $0.isListening = true }
        try await script("LISTEN \(Self.quote(identifier: channel))")
    }

    /// What arrives on the channels listened to.
    ///
    /// It ends when the connection does; past 1024 unread ones the oldest are dropped.
    ///
    /// One consumer at a time.
    public var notifications: AsyncStream<PostgresNotification> { session.notifications }

    /// Whether statements can still be asked.
    ///
    /// A connection that the server closed is noticed at once, also when idle.
    public var isUsable: Bool { session.isUsable }

    /// The server's version: 150018 is 15.18.
    ///
    /// 0 when closed.
    public var serverVersion: Int { session.wire.withLock { $0.connection?.serverVersion ?? 0 } }

    /// The server process of this connection; 0 when closed.
    public var backendProcessID: Int32 { session.wire.withLock { $0.connection?.backendProcessID ?? 0 } }

    /// Closes the connection.
    ///
    /// Whoever still waits on it gets `closed`.
    public func close() async {
        session.closeNow(.shutDown)
    }

    /// A verifier for `ALTER ROLE … PASSWORD '…'`, so that the password itself reaches neither the server's log nor its statistics.
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

    /// A name as SQL writes it, in double quotes.
    public static func quote(identifier: String) -> String {
        "\"" + identifier.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    /// A text as SQL writes it, in single quotes; for statements that take no parameters.
    ///
    /// It assumes `standard_conforming_strings`, the default since 9.1, and writes backslashes so that they mean
    /// themselves either way.
    public static func quote(literal: String) -> String {
        let quoted = literal.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
        guard literal.contains("\\") else { return "'\(quoted)'" }
        return " E'" + quoted.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\") + "'"
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
