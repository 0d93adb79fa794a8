import LibPQ

extension PostgresError {
    /// Creates the error that an error result reports.
    init(_ result: ServerResult) {
        guard let state = result.errorField(.sqlState) else {
            // A result without fields has a message of libpq: the connection broke during the statement.
            self.init(
                .connectionLost,
                "the connection to the server broke",
                serverMessage: result.errorMessage,
                wasSent: true
            )
            return
        }
        self.init(
            .server,
            "the server refused the statement",
            serverMessage: result.errorField(.message),
            wasSent: true
        )
        sqlState = SQLState(rawValue: state)
        constraint = result.errorField(.constraint)
        table = result.errorField(.table)
        column = result.errorField(.column)
    }

    /// Creates the error that a failed libpq call reports.
    init(_ error: LibPQError) {
        self.init(.protocolViolation, "\(error.function) failed", serverMessage: error.message)
    }

    /// True if the server no longer executes the prepared statement, so that preparing it again can help.
    var isAboutPreparation: Bool {
        sqlState == .invalidStatementName || sqlState == .featureNotSupported
    }

    /// True if the session ended before it answered, and another session can answer.
    ///
    /// 57P01: an administrator ended it, or the server shuts down. 57P02: another session crashed. 57P05: it was idle for too long. 25P03: it
    /// was idle in a transaction.
    var endedSession: Bool {
        switch code {
        case .connectionLost: true
        case .server: sqlState.map { ["57P01", "57P02", "57P05", "25P03"].contains($0.rawValue) } ?? false
        default: false
        }
    }

    static let shutDown = PostgresError(.closed, "the connection is closed")
}
