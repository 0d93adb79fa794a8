import CLibPQ

/// One result of the server, owned until the last reference goes.
///
/// libpq documents that a `PGresult` may be read by any thread once it was returned (manual 34.20), and nothing here changes it.
@safe
public final class ServerResult: @unchecked Sendable {  // immutable since PQgetResult returned it
    /// What kind of result this is.
    public enum Status: Sendable, Equatable {
        /// A command without rows, or a prepared statement, is done.
        case commandOK
        /// Rows, perhaps none.
        case rows
        /// The server waits for COPY data.
        case copyIn
        /// A sync point of the pipeline was reached.
        case pipelineSync
        /// Not executed, because something before it in the pipeline failed.
        case pipelineAborted
        /// The server refused; the fields say why.
        case error
        /// An empty query string.
        case empty
        /// Something this wrapper never asks for, such as COPY out.
        case unexpected
    }

    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    /// A result that no server sent: a command without rows.
    public static func empty() -> ServerResult {
        guard let pointer = unsafe PQmakeEmptyPGresult(nil, PGRES_COMMAND_OK) else {
            preconditionFailure("out of memory")
        }
        return unsafe ServerResult(pointer)
    }

    deinit {
        unsafe PQclear(pointer)
    }

    /// What kind of result this is.
    public var status: Status {
        switch unsafe PQresultStatus(pointer) {
        case PGRES_COMMAND_OK: .commandOK
        case PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE: .rows
        case PGRES_COPY_IN: .copyIn
        case PGRES_PIPELINE_SYNC: .pipelineSync
        case PGRES_PIPELINE_ABORTED: .pipelineAborted
        case PGRES_FATAL_ERROR, PGRES_NONFATAL_ERROR, PGRES_BAD_RESPONSE: .error
        case PGRES_EMPTY_QUERY: .empty
        default: .unexpected
        }
    }

    /// The number of rows.
    public var rowCount: Int { unsafe Int(PQntuples(pointer)) }

    /// The number of columns.
    public var columnCount: Int { unsafe Int(PQnfields(pointer)) }

    /// The type of a column, an OID of `pg_type`.
    public func type(column: Int) -> UInt32 { unsafe PQftype(pointer, Int32(column)) }

    /// The name of a column, or an empty text when there is no such column.
    public func name(column: Int) -> String {
        guard let name = unsafe PQfname(pointer, Int32(column)) else { return "" }
        return unsafe String(cString: name)
    }

    /// What the server says it did, such as `INSERT 0 1` or `COMMIT`.
    public var commandTag: String {
        guard let tag = unsafe PQcmdStatus(pointer) else { return "" }
        return unsafe String(cString: tag)
    }

    /// The number of rows that the command touched; 0 for commands that touch none.
    public var affectedRows: Int {
        guard let text = unsafe PQcmdTuples(pointer) else { return 0 }
        return unsafe Int(String(cString: text)) ?? 0
    }

    /// Lends one cell's bytes; `nil` is SQL NULL.
    ///
    /// Row and column must exist.
    public func withCell<R, E: Error>(
        row: Int,
        column: Int,
        _ body: (RawSpan?) throws(E) -> R
    ) throws(E) -> R {
        precondition(row >= 0 && row < rowCount && column >= 0 && column < columnCount, "no such cell")
        let (row, column) = (Int32(row), Int32(column))
        if unsafe PQgetisnull(pointer, row, column) != 0 { return try body(nil) }
        guard let value = unsafe PQgetvalue(pointer, row, column) else { return try body(nil) }
        let length = unsafe Int(PQgetlength(pointer, row, column))
        let bytes = unsafe UnsafeRawBufferPointer(start: value, count: length)
        return try unsafe body(bytes.bytes)
    }

    /// The fields of an error that this wrapper's callers use.
    public enum ErrorField: Sendable {
        /// The five characters of the SQLSTATE.
        case sqlState
        /// `ERROR`, `FATAL`, …, never translated.
        case severity
        /// The one-line message.
        case message
        /// More about it; can repeat values, so it stays out of what is shown.
        case detail
        /// The violated constraint.
        case constraint
        /// The table concerned.
        case table
        /// The column concerned.
        case column

        /// The `PG_DIAG_…` characters of `postgres_ext.h`.
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

    /// One field of an error result, if the server sent it.
    public func errorField(_ field: ErrorField) -> String? {
        guard let text = unsafe PQresultErrorField(pointer, field.code) else { return nil }
        return unsafe String(cString: text)
    }

    /// libpq's own wording, for errors that did not come from the server and so have no fields.
    public var errorMessage: String {
        guard let text = unsafe PQresultErrorMessage(pointer) else { return "" }
        return unsafe String(cString: text).trimmedTail
    }
}
