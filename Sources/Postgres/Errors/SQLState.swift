/// An error code of the server, which has five characters (PostgreSQL manual, appendix A).
public struct SQLState: RawRepresentable, Hashable, Sendable {
    /// The characters of the code.
    public let rawValue: String

    /// Creates a code from its characters, which are not checked.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The class of the code: its first two characters.
    public var errorClass: String { String(rawValue.prefix(2)) }

    /// 01000: a warning without a more precise code, such as the one of a cancelled wait for a synchronous standby.
    public static let warning = SQLState(rawValue: "01000")
    /// 23505: a unique constraint refused a row.
    ///
    /// `PostgresError.constraint` has its name.
    public static let uniqueViolation = SQLState(rawValue: "23505")
    /// 23503: a foreign key refused a row.
    public static let foreignKeyViolation = SQLState(rawValue: "23503")
    /// 23514: a check constraint refused a row.
    public static let checkViolation = SQLState(rawValue: "23514")
    /// 22021: a text has bytes that are not valid in its encoding, such as NUL.
    public static let characterNotInRepertoire = SQLState(rawValue: "22021")
    /// 0A000: the server does not support the feature, or a prepared statement now has other result columns.
    public static let featureNotSupported = SQLState(rawValue: "0A000")
    /// 25P02: an earlier statement of the transaction failed.
    public static let inFailedTransaction = SQLState(rawValue: "25P02")
    /// 26000: the server does not know the prepared statement.
    public static let invalidStatementName = SQLState(rawValue: "26000")
    /// 25006: a statement tried to write in a read-only transaction.
    public static let readOnlyTransaction = SQLState(rawValue: "25006")
    /// 3D000: the database does not exist.
    public static let undefinedDatabase = SQLState(rawValue: "3D000")
    /// 42P04: a database with this name exists.
    public static let duplicateDatabase = SQLState(rawValue: "42P04")
    /// 42710: an object with this name exists, such as a role.
    public static let duplicateObject = SQLState(rawValue: "42710")
    /// 42P01: the table does not exist.
    public static let undefinedTable = SQLState(rawValue: "42P01")
    /// 42703: the column does not exist.
    public static let undefinedColumn = SQLState(rawValue: "42703")
    /// 42883: the function or the operator does not exist.
    public static let undefinedFunction = SQLState(rawValue: "42883")
    /// 42501: the role lacks a privilege.
    public static let insufficientPrivilege = SQLState(rawValue: "42501")
    /// 40001: the transaction conflicts with another one and must be repeated.
    public static let serializationFailure = SQLState(rawValue: "40001")
    /// 40P01: the server ended the transaction to resolve a deadlock.
    public static let deadlockDetected = SQLState(rawValue: "40P01")
    /// 53100: the disk of the server is full.
    package static let diskFull = SQLState(rawValue: "53100")
    /// 53300: the server, the database or the role has no connection left.
    public static let tooManyConnections = SQLState(rawValue: "53300")
    /// 55006: other sessions use the object, such as a template database.
    public static let objectInUse = SQLState(rawValue: "55006")
    /// 55P03: the lock did not become free within `lock_timeout`, or was taken with NOWAIT.
    public static let lockNotAvailable = SQLState(rawValue: "55P03")
    /// XX000: a failure for which PostgreSQL has no code of its own.
    public static let internalError = SQLState(rawValue: "XX000")
    /// 57014: the statement was cancelled, by a request or by `statement_timeout`.
    public static let queryCanceled = SQLState(rawValue: "57014")
    /// 57P01: the server shuts down, or an administrator ended the connection.
    public static let adminShutdown = SQLState(rawValue: "57P01")
    /// 57P03: the server starts up, shuts down or recovers.
    public static let cannotConnectNow = SQLState(rawValue: "57P03")
    /// 28P01: the password is wrong.
    public static let invalidPassword = SQLState(rawValue: "28P01")
    /// 28000: the role does not exist or must not log in.
    public static let invalidAuthorization = SQLState(rawValue: "28000")
}
