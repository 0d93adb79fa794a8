import Keys
import Migrations
import Postgres
import Tenancy

extension CommandFailure {
    /// Returns the reason for which a PostgreSQL server was not reached, in the words of the server or of libpq.
    static func words(of error: PostgresError) -> String { quoting(error.wordsForOwner ?? error.message) }

    /// Returns a sentence with the words of the server or of libpq.
    static func quoting(_ words: String) -> String { "The server or libpq says: \(Redaction.redact(words))" }

    /// Returns a sentence for each of the first three, and one about the number of the others.
    ///
    /// The words about many databases often differ by the name of the database alone.
    static func quoting(_ words: [String]) -> [String] {
        let more = words.count > 3 ? ["It says similar things about others: \(words.count - 3)."] : []
        return words.prefix(3).map { quoting($0) } + more
    }

    /// Describes an error of a command that works beside the server.
    static func composing(_ error: any Error) -> CommandFailure {
        switch error {
        case let failure as CommandFailure: failure
        case let error as PostgresError where error.code == .connectFailed:
            CommandFailure(
                .refused,
                "PostgreSQL cannot be reached.",
                details: [
                    words(of: error),
                    "Is PostgreSQL running, and is MORTISE_DATABASE_URL right?",
                ]
            )
        case let error as PostgresError where error.sqlState == .readOnlyTransaction:
            CommandFailure(
                .refused,
                "PostgreSQL accepts no changes: the server is a standby, or default_transaction_read_only is on.",
                details: ["Name the primary in MORTISE_DATABASE_URL, or wait until the standby is promoted."]
            )
        case let error as PostgresError where error.sqlState == .diskFull:
            CommandFailure(
                .refused,
                "The disk of the PostgreSQL server is full.",
                details: ["Free some space there, and run this again."]
            )
        case let error as PostgresError:
            CommandFailure(
                .refused,
                "PostgreSQL refused: \(error.description)",
                details: error.wordsForOwner.map { [quoting($0)] } ?? []
            )
        case let error as MigrationError:
            CommandFailure(
                .refused,
                Redaction.redact(error.description),
                details: error.wordsForOwner.map { [quoting($0)] } ?? []
            )
        case let fault as ConnectionFault:
            CommandFailure(.refused, "It cannot run here: \(fault.message).", details: [fault.remedy])
        case let error as TenancyError:
            CommandFailure(.refused, "It cannot run here: \(error.message).")
        default:
            CommandFailure(.refused, Redaction.redact("\(error)"))
        }
    }
}
