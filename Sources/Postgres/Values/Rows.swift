public import LibPQ
import Synchronization

/// The rows of a finished statement.
public struct Rows: Sendable, RandomAccessCollection {
    @usableFromInline
    let result: ServerResult

    init(_ result: ServerResult) {
        self.result = result
    }

    /// An empty result that no server sent, for tests.
    package static var none: Rows { Rows(ServerResult.empty()) }

    /// The index of the first row: 0.
    public var startIndex: Int { 0 }
    /// The number of rows.
    public var endIndex: Int { result.rowCount }

    /// Returns a row.
    public subscript(index: Int) -> Row {
        precondition(index >= 0 && index < result.rowCount, "the row does not exist")
        return Row(result: result, index: index)
    }

    /// Returns a value that is decoded from these rows once, however many callers have them.
    ///
    /// Identical look-ups that were joined have the same rows. All callers must decode the same way.
    ///
    /// - Parameter decode: Decodes the value.
    /// - Returns: The value, which another caller can have decoded.
    /// - Throws: The error of `decode`.
    package func decodedOnce<Value: AnyObject & Sendable>(
        _ decode: () throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value {
        if let known = result.decoded.load()?.value as? Value { return known }
        let value = try decode()
        return result.decoded.storeIfNil(DecodedValue(value)).value as? Value ?? value
    }

    /// The number of rows that the statement inserted, updated, deleted or selected.
    public var affectedRows: Int { result.affectedRows }

    /// The server's description of its work, such as `INSERT 0 1` or `COMMIT`.
    public var commandTag: String { result.commandTag }
}

/// A row of a result.
///
/// Values are decoded from the result's memory when they are asked for.
public struct Row: Sendable {
    @usableFromInline
    let result: ServerResult
    @usableFromInline
    let index: Int

    init(result: ServerResult, index: Int) {
        self.result = result
        self.index = index
    }

    /// Decodes the value of a column.
    ///
    /// - Parameters:
    ///   - column: The number of the column, from 0.
    ///   - type: The type of the value. An optional accepts NULL.
    /// - Returns: The value.
    /// - Throws: `decoding` if the column does not exist, has another type, or is NULL and `type` is not optional.
    @inlinable
    public func decode<T: PostgresDecodable>(_ column: Int, as type: T.Type = T.self) throws(PostgresError) -> T {
        guard column >= 0, column < result.columnCount else { throw .noColumn(column) }
        let cell = result.cell(row: index, column: column)
        defer { extendLifetime(result) }
        guard let start = unsafe cell.start else { return try T.decode(nil, type: cell.type) }
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: Int(cell.count))
        return try unsafe T.decode(bytes.bytes, type: cell.type)
    }

    /// Decodes the first columns, in their order.
    ///
    /// ```swift
    /// let (id, name) = try row.decode((UUID, String?).self)
    /// ```
    ///
    /// - Parameter types: The types of the values.
    /// - Returns: The values.
    /// - Throws: `decoding`, as ``decode(_:as:)`` does.
    @inlinable
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

extension PostgresError {
    @usableFromInline
    static func noColumn(_ column: Int) -> PostgresError {
        PostgresError(.decoding, "the result has no column \(column)")
    }
}
