/// A failure between this program and a PostgreSQL server.
///
/// The `description` is safe to print: it names the fault, and it never repeats SQL, parameters, or the server's detail field, which can
/// hold the values of a row. The server's one-line message can hold user input too. It is in `serverMessage`, for logs that can keep it.
public struct PostgresError: Error, Sendable {
    /// A kind of failure.
    ///
    /// Later versions can add kinds, so a `switch` over codes needs a default.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The name of the code, as the error's `description` prints it.
        public let description: String

        /// The server answered with an error.
        ///
        /// `sqlState` has its code.
        public static let server = Code(description: "server")
        /// No connection could be opened.
        public static let connectFailed = Code(description: "connectFailed")
        /// The connection broke.
        ///
        /// If `wasSent` is true, the statement can have taken effect or not.
        public static let connectionLost = Code(description: "connectionLost")
        /// The deadline passed.
        ///
        /// A statement that was running was cancelled on the server.
        public static let deadlineExceeded = Code(description: "deadlineExceeded")
        /// The task was cancelled.
        ///
        /// A statement that was running on a leased connection was cancelled on the server.
        public static let cancelled = Code(description: "cancelled")
        /// No connection of the pool became free in time.
        public static let poolTimedOut = Code(description: "poolTimedOut")
        /// Too many callers wait for the connection or the pool.
        public static let queueFull = Code(description: "queueFull")
        /// The connection, the pool, the pipeline or the reactor was shut down.
        public static let closed = Code(description: "closed")
        /// A value does not have the expected type or form.
        public static let decoding = Code(description: "decoding")
        /// The connection string or a setting cannot be used.
        public static let invalidConfiguration = Code(description: "invalidConfiguration")
        /// The server can have committed the transaction or not, or only without its synchronous standby.
        ///
        /// The session ended during COMMIT, the server did not answer in time, or somebody cancelled its wait for the standby.
        public static let commitOutcomeUnknown = Code(description: "commitOutcomeUnknown")
        /// The server answered COMMIT with ROLLBACK, because a statement of the transaction had failed.
        public static let transactionRolledBack = Code(description: "transactionRolledBack")
        /// libpq refused a call, or the server sent an answer that the protocol does not allow.
        public static let protocolViolation = Code(description: "protocolViolation")
    }

    /// The kind of failure.
    public var code: Code
    /// The error code of the server, if the server answered.
    public var sqlState: SQLState?
    /// A sentence about the failure that is safe to print.
    public var message: String
    /// The message of the server or of libpq.
    ///
    /// The text can name tables and repeat input, so it belongs in a log.
    public var serverMessage: String?
    /// The name of the violated constraint.
    public var constraint: String?
    /// The name of the table that the failure is about.
    public var table: String?
    /// The name of the column that the failure is about.
    public var column: String?
    /// True if the statement was handed to the socket, so that the server can have executed it.
    public var wasSent: Bool
    /// True if this is the error of an earlier attempt to connect, and the pause after it is not over.
    package var isOfPause = false

    /// Creates an error.
    ///
    /// - Parameters:
    ///   - code: The kind of failure.
    ///   - message: A sentence about the failure that is safe to print.
    ///   - serverMessage: The message of the server or of libpq.
    ///   - wasSent: True if the server can have executed the statement.
    public init(_ code: Code, _ message: String, serverMessage: String? = nil, wasSent: Bool = false) {
        self.code = code
        self.message = message
        self.serverMessage = serverMessage
        self.wasSent = wasSent
    }
}

extension PostgresError {
    /// The words of the server or of libpq about a connection that was refused; `nil` for any other error.
    ///
    /// A log can have them: they name the host, the database and the role, and no row was read yet.
    package var reasonOfRefusal: String? { code == .connectFailed ? serverMessage : nil }

    /// The words of the server or of libpq, with the table and the constraint that they are about; `nil` if there are none.
    ///
    /// They are for the owner of the database, who works on it with a command: they name hosts and objects, and can repeat a value.
    package var wordsForOwner: String? {
        guard let serverMessage else { return nil }
        let objects = [table.map { "table \($0)" }, constraint.map { "constraint \($0)" }].compactMap(\.self)
        return objects.isEmpty ? serverMessage : "\(serverMessage) (\(objects.joined(separator: ", ")))"
    }
}

extension PostgresError: CustomStringConvertible {
    /// The code, the SQLSTATE, the constraint and the message.
    public var description: String {
        var text = "PostgresError(\(code)"
        if let state = sqlState { text += ", SQLSTATE \(state.rawValue)" }
        if let constraint { text += ", constraint \(constraint)" }
        return text + "): \(message)"
    }
}
