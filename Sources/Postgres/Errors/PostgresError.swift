/// What went wrong between this program and a PostgreSQL server.
///
/// `description` is safe to print: it names the fault and never repeats SQL, parameters or a server's detail field, which can hold
/// the values of a row. The server's one-line message can hold user input too, so it is in `serverMessage`, for logs that may.
public struct PostgresError: Error, Sendable {
    /// The kind of fault.
    ///
    /// An open set: code that switches over it needs a default.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The name, as `description` prints it.
        public let description: String

        /// The server answered with an error; `sqlState` says which.
        public static let server = Code(description: "server")
        /// No connection could be made.
        public static let connectFailed = Code(description: "connectFailed")
        /// The connection broke.
        ///
        /// Whether the statement took effect is unknown unless `wasSent` is false.
        public static let connectionLost = Code(description: "connectionLost")
        /// The deadline passed.
        ///
        /// A statement that was running was cancelled.
        public static let deadlineExceeded = Code(description: "deadlineExceeded")
        /// The task was cancelled.
        ///
        /// A statement that was running alone was cancelled on the server.
        public static let cancelled = Code(description: "cancelled")
        /// No connection of the pool came free in time.
        public static let poolTimedOut = Code(description: "poolTimedOut")
        /// Too many callers wait already.
        public static let queueFull = Code(description: "queueFull")
        /// The connection, pool or reactor was shut down.
        public static let closed = Code(description: "closed")
        /// A value did not have the expected type or form.
        public static let decoding = Code(description: "decoding")
        /// The connection string or a setting cannot be used.
        public static let invalidConfiguration = Code(description: "invalidConfiguration")
        /// The connection broke while COMMIT was under way: the transaction may have been committed or not.
        public static let commitOutcomeUnknown = Code(description: "commitOutcomeUnknown")
        /// COMMIT was answered with ROLLBACK, because a statement of the transaction had failed.
        public static let transactionRolledBack = Code(description: "transactionRolledBack")
        /// libpq refused a call, or the server answered what the protocol does not allow.
        public static let protocolViolation = Code(description: "protocolViolation")
    }

    /// The kind of fault.
    public var code: Code
    /// The server's error code, when the server answered.
    public var sqlState: SQLState?
    /// One safe sentence.
    public var message: String
    /// The server's or libpq's own words.
    ///
    /// For logs: it can name tables and repeat input.
    public var serverMessage: String?
    /// The violated constraint.
    public var constraint: String?
    /// The table concerned.
    public var table: String?
    /// The column concerned.
    public var column: String?
    /// Whether the statement had been handed to the socket, so that the server may have executed it.
    public var wasSent: Bool

    /// Creates an error.
    public init(_ code: Code, _ message: String, serverMessage: String? = nil, wasSent: Bool = false) {
        self.code = code
        self.message = message
        self.serverMessage = serverMessage
        self.wasSent = wasSent
    }
}

extension PostgresError: CustomStringConvertible {
    /// The kind, the SQLSTATE and the safe sentence.
    public var description: String {
        var text = "PostgresError(\(code)"
        if let state = sqlState { text += ", SQLSTATE \(state.rawValue)" }
        if let constraint { text += ", constraint \(constraint)" }
        return text + "): \(message)"
    }
}
