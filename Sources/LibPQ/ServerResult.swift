import CLibPQ
package import Synchronization

/// A result with rows, with a command tag or with an error: the owner of one `PGresult`.
///
/// Any thread can read a `PGresult` that `PQgetResult` has returned (libpq manual 34.20), and nothing in this module changes one.
@safe
public final class ServerResult: @unchecked Sendable {  // immutable, but for an atomic reference
    /// A kind of result.
    public enum Status: Sendable, Equatable {
        /// A command without rows, or the preparation of a statement, has succeeded.
        case commandOK
        /// The result has rows, possibly none.
        case rows
        /// The server waits for COPY data.
        case copyIn
        /// The server refused the statement. The error fields have the reason.
        case error
        /// The SQL was empty.
        case empty
        /// A result that no call of this module leads to, such as COPY … TO.
        case unexpected

        init(_ status: ExecStatusType) {
            self =
                switch status {
                case PGRES_COMMAND_OK: .commandOK
                case PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE: .rows
                case PGRES_COPY_IN: .copyIn
                case PGRES_FATAL_ERROR, PGRES_NONFATAL_ERROR, PGRES_BAD_RESPONSE: .error
                case PGRES_EMPTY_QUERY: .empty
                default: .unexpected
                }
        }
    }

    private let pointer: OpaquePointer
    /// The kind of the result.
    public let status: Status
    /// The number of rows.
    public let rowCount: Int
    /// The number of columns.
    public let columnCount: Int

    /// A value that a reader of the result has decoded from it, for its other readers.
    package let decoded = AtomicLazyReference<DecodedValue>()

    init(_ pointer: OpaquePointer, status: ExecStatusType) {
        unsafe self.pointer = pointer
        self.status = Status(status)
        rowCount = unsafe Int(PQntuples(pointer))
        columnCount = unsafe Int(PQnfields(pointer))
    }

    /// Creates the result of a command without rows, which no server sent.
    public static func empty() -> ServerResult {
        guard let pointer = unsafe PQmakeEmptyPGresult(nil, PGRES_COMMAND_OK) else {
            preconditionFailure("out of memory")
        }
        return unsafe ServerResult(pointer, status: PGRES_COMMAND_OK)
    }

    deinit {
        unsafe PQclear(pointer)
    }

    /// Returns the name of a column, or an empty text if the column does not exist.
    public func name(column: Int) -> String {
        guard let name = unsafe PQfname(pointer, Int32(column)) else { return "" }
        return unsafe String(cString: name)
    }

    /// The server's description of its work, such as `INSERT 0 1` or `COMMIT`.
    public var commandTag: String {
        guard let tag = unsafe PQcmdStatus(pointer) else { return "" }
        return unsafe String(cString: tag)
    }

    /// The number of rows that the command read or changed.
    ///
    /// The value is 0 for commands that do neither.
    public var affectedRows: Int {
        guard let text = unsafe PQcmdTuples(pointer) else { return 0 }
        return unsafe Int(String(cString: text)) ?? 0
    }

    /// The place of a value in a result.
    @safe
    @frozen
    public struct Cell {
        /// The type of the column, an OID of `pg_type`.
        public let type: UInt32
        /// The number of bytes.
        public let count: Int32
        /// The first byte, or `nil` for SQL NULL.
        ///
        /// The address is valid as long as the result exists.
        public let start: UnsafeRawPointer?
    }

    /// Returns the place of a value.
    ///
    /// The row and the column must exist.
    public func cell(row: Int, column: Int) -> Cell {
        precondition(row >= 0 && row < rowCount && column >= 0 && column < columnCount, "the cell does not exist")
        let (row, column) = (Int32(truncatingIfNeeded: row), Int32(truncatingIfNeeded: column))
        let type = unsafe PQftype(pointer, column)
        let count = unsafe PQgetlength(pointer, row, column)
        // libpq says 0 for the length of NULL, and gives NULL an address too.
        if count == 0, unsafe PQgetisnull(pointer, row, column) != 0 {
            return unsafe Cell(type: type, count: 0, start: nil)
        }
        return unsafe Cell(type: type, count: count, start: UnsafeRawPointer(PQgetvalue(pointer, row, column)))
    }

    /// A field of an error.
    public enum ErrorField: Sendable {
        /// The five characters of the SQLSTATE.
        case sqlState
        /// The severity, such as `ERROR` or `FATAL`, not translated.
        case severity
        /// The message, one line.
        case message
        /// More about the error. It can repeat the values of a row, so it must not be shown.
        case detail
        /// The name of the violated constraint.
        case constraint
        /// The name of the table that the error is about.
        case table
        /// The name of the column that the error is about.
        case column

        /// The `PG_DIAG_…` character of `postgres_ext.h`.
        fileprivate var code: Int32 {
            let letter: Unicode.Scalar =
                switch self {
                case .sqlState: "C"
                case .severity: "V"
                case .message: "M"
                case .detail: "D"
                case .constraint: "n"
                case .table: "t"
                case .column: "c"
                }
            return Int32(letter.value)
        }
    }

    /// Returns a field of an error result, or `nil` if the server did not send the field.
    public func errorField(_ field: ErrorField) -> String? {
        guard let text = unsafe PQresultErrorField(pointer, field.code) else { return nil }
        return unsafe String(cString: text)
    }

    /// The message of libpq, for an error that did not come from the server and so has no fields.
    public var errorMessage: String {
        guard let text = unsafe PQresultErrorMessage(pointer) else { return "" }
        return unsafe String(cString: text).trimmedTail
    }
}

/// A value that was decoded from a result.
package final class DecodedValue: Sendable {
    /// The value.
    package let value: any AnyObject & Sendable

    /// Keeps a value.
    package init(_ value: any AnyObject & Sendable) { self.value = value }
}
