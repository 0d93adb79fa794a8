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

    static let shutDown = PostgresError(.closed, "the connection is closed")
}
