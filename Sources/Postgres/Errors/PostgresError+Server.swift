import LibPQ

extension PostgresError {
    /// Creates the error that an error result reports.
    init(_ result: ServerResult) {
        guard let state = result.errorField(.sqlState).map(SQLState.init(rawValue:)) else {
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
            Self.sentence(state),
            serverMessage: result.errorField(.message),
            wasSent: true
        )
        sqlState = state
        constraint = result.errorField(.constraint)
        table = result.errorField(.table)
        column = result.errorField(.column)
    }

    /// Returns a sentence about an error of the server.
    ///
    /// An operator reads it in a log, where the server's own message is absent.
    static func sentence(_ state: SQLState) -> String {
        switch state {
        case .insufficientPrivilege: "the role lacks a privilege"
        case .readOnlyTransaction: "the server or the session is read-only"
        case .diskFull: "the disk of the server is full"
        case .tooManyConnections: "the server, the database or the role has no connection left"
        case .undefinedDatabase: "the database does not exist"
        case .invalidPassword: "the password is wrong"
        case .invalidAuthorization: "the role does not exist, or must not log in from here"
        case .adminShutdown: "the server stops, or an administrator ended the session"
        case .cannotConnectNow: "the server is starting or stopping, or the database accepts no connections"
        case .queryCanceled: "the statement was cancelled, or took longer than the server allows"
        default:
            switch state.rawValue {
            case "53200": "the server has no memory left"
            case "57P02": "the server ended all sessions, because one crashed"
            case "58030": "the server cannot read or write its files"
            default: "the server refused the statement"
            }
        }
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
    /// 57P01: an administrator ended it, or the server shuts down. 57P02: another session crashed. 57P05: it was idle for too long. 25P03:
    /// it was idle in a transaction.
    var endedSession: Bool {
        switch code {
        case .connectionLost: true
        case .server: sqlState.map { ["57P01", "57P02", "57P05", "25P03"].contains($0.rawValue) } ?? false
        default: false
        }
    }

    static let shutDown = PostgresError(.closed, "the connection is closed")
}
