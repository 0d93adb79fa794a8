import LibPQ

/// The rows of one finished statement.
public struct Rows: Sendable, RandomAccessCollection {
    let result: ServerResult

    init(_ result: ServerResult) {
        self.result = result
        endIndex = result.rowCount
    }

    /// No rows, from no server: for tests of what passes rows on.
    package static var none: Rows { Rows(ServerResult.empty()) }

    /// 0.
    public var startIndex: Int { 0 }
    /// The number of rows.
    public let endIndex: Int

    /// One row.
    public subscript(index: Int) -> Row {
        precondition(index >= 0 && index < endIndex, "no such row")
        return Row(result: result, index: index)
    }

    /// The number of rows that the statement inserted, updated, deleted or selected.
    public var affectedRows: Int { result.affectedRows }

    /// What the server says it did, such as `INSERT 0 1` or `COMMIT`.
    public var commandTag: String { result.commandTag }
}

/// One row of a result, read in place.
public struct Row: Sendable {
    let result: ServerResult
    let index: Int

    /// Reads one column, counted from 0.
    ///
    /// - Throws: `decoding` when the column does not exist, is NULL for a type that is not optional, or has another type.
    public func decode<T: PostgresDecodable>(_ column: Int, as type: T.Type = T.self) throws(PostgresError) -> T {
        guard column >= 0, column < result.columnCount else {
            throw PostgresError(.decoding, "the result has no column \(column)")
        }
        return try result.withCell(row: index, column: column) { cell throws(PostgresError) in
            try T.decode(cell, type: result.type(column: column))
        }
    }

    /// Reads the columns in order: `let (id, name) = try row.decode((UUID, String?).self)`.
    public func decode<each T: PostgresDecodable>(
        _ types: (repeat each T).Type
    ) throws(PostgresError) -> (repeat each T) {
        var column = -1
        func next<U: PostgresDecodable>(_ type: U.Type) throws(PostgresError) -> U {
            column += 1
            return try decode(column, as: type)
        }
        return (repeat try next((each T).self))
    }
}
