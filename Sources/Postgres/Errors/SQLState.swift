/// A five-character error code of the server (PostgreSQL manual, appendix A).
public struct SQLState: RawRepresentable, Hashable, Sendable {
    /// The five characters.
    public let rawValue: String

    /// Wraps five characters, unchecked.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The first two characters, which name the class.
    public var errorClass: String { String(rawValue.prefix(2)) }

    /// 23505: a unique constraint refused a row; `PostgresError.constraint` names it.
    public static let uniqueViolation = SQLState(rawValue: "23505")
    /// 23503: a foreign key refused a row.
    public static let foreignKeyViolation = SQLState(rawValue: "23503")
    /// 23514: a check constraint refused a row.
    public static let checkViolation = SQLState(rawValue: "23514")
    /// 22021: bytes that are not valid in the encoding, such as NUL in text.
    public static let characterNotInRepertoire = SQLState(rawValue: "22021")
    /// 0A000: not supported; also a prepared statement whose result columns have changed.
    public static let featureNotSupported = SQLState(rawValue: "0A000")
    /// 25P02: a statement of this transaction has failed before.
    public static let inFailedTransaction = SQLState(rawValue: "25P02")
    /// 26000: a prepared statement that the server does not know.
    public static let invalidStatementName = SQLState(rawValue: "26000")
    /// 25006: a write in a read-only transaction.
    public static let readOnlyTransaction = SQLState(rawValue: "25006")
    /// 3D000: no such database.
    public static let undefinedDatabase = SQLState(rawValue: "3D000")
    /// 42P04: a database of that name exists.
    public static let duplicateDatabase = SQLState(rawValue: "42P04")
    /// 42710: an object, such as a role, of that name exists.
    public static let duplicateObject = SQLState(rawValue: "42710")
    /// 42P01: no such table.
    public static let undefinedTable = SQLState(rawValue: "42P01")
    /// 42703: no such column.
    public static let undefinedColumn = SQLState(rawValue: "42703")
    /// 42501: not permitted.
    public static let insufficientPrivilege = SQLState(rawValue: "42501")
    /// 40001: a serializable transaction must be repeated.
    public static let serializationFailure = SQLState(rawValue: "40001")
    /// 40P01: chosen as the victim of a deadlock.
    public static let deadlockDetected = SQLState(rawValue: "40P01")
    /// 53300: `max_connections` is reached.
    public static let tooManyConnections = SQLState(rawValue: "53300")
    /// 55006: in use by others, such as a template database with connections.
    public static let objectInUse = SQLState(rawValue: "55006")
    /// 55P03: `lock_timeout` passed, or NOWAIT found the lock taken.
    public static let lockNotAvailable = SQLState(rawValue: "55P03")
    /// 57014: cancelled, by request or by `statement_timeout`.
    public static let queryCanceled = SQLState(rawValue: "57014")
    /// 57P01: the server is shutting down, or an administrator ended the connection.
    public static let adminShutdown = SQLState(rawValue: "57P01")
    /// 57P03: the server is starting up or recovering.
    public static let cannotConnectNow = SQLState(rawValue: "57P03")
    /// 28P01: a wrong password.
    public static let invalidPassword = SQLState(rawValue: "28P01")
    /// 28000: a role that may not log in.
    public static let invalidAuthorization = SQLState(rawValue: "28000")
}
