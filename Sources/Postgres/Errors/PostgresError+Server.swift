import LibPQ

extension PostgresError {
    /// The error that an error result stands for.
    init(_ result: ServerResult) {
        guard let state = result.errorField(.sqlState) else {
            // Without fields the message is libpq's own: the connection broke under the query.
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

    /// The error that a failed libpq call stands for.
    init(_ error: LibPQError) {
        self.init(.protocolViolation, "\(error.function) failed", serverMessage: error.message)
    }

    /// Whether the server no longer executes what was prepared, so that preparing it anew may help.
    var isAboutPreparation: Bool {
        sqlState == .invalidStatementName || sqlState == .featureNotSupported
    }

    static let shutDown = PostgresError(.closed, "the connection is closed")
}
