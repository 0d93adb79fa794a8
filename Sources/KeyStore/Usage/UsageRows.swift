/// The rows of a batch for one table, as SQL.
///
/// A short batch is a list of rows, which PostgreSQL plans in less time than a function that returns them. A long one is an array for each
/// column, which PostgreSQL parses in less time than an expression for each value. With one row the list costs half as much, and with about
/// 20 rows both cost the same (docs/performance.md).
struct UsageRows {
    /// The type of a column.
    enum Column {
        case id
        case text
        case number
        /// An instant, in microseconds since 1970.
        case instant

        fileprivate var type: String {
            switch self {
            case .id: "uuid"
            case .text: "text"
            case .number, .instant: "bigint"
            }
        }

        /// Returns a value as an expression.
        ///
        /// The values are ids, numbers, addresses and names of verdicts, which need no quotation.
        fileprivate func expression(_ value: String) -> String {
            switch self {
            case .id, .text: value == "NULL" ? value : "'\(value)'"
            case .number: value
            case .instant: UsageRows.instant(value)
            }
        }
    }

    /// The maximum number of rows of a list.
    private static let few = 16

    private let columns: [(name: String, column: Column)]
    private let order: [String]
    private let isShort: Bool
    /// The text of each row of a list, or of each column's array.
    private var texts: [String]

    /// Creates an empty batch.
    ///
    /// - Parameters:
    ///   - columns: The names and types of the columns. Those of the order come first.
    ///   - order: The names of the columns by which ``source`` orders the rows, so that concurrent flushes of two nodes lock them in one
    ///     order. Defaults to none, for a batch of which only ``arguments`` is used.
    ///   - count: The maximum number of rows that will be added. Defaults to many.
    init(_ columns: [(name: String, column: Column)], orderedBy order: [String] = [], count: Int = .max) {
        self.columns = columns
        self.order = order
        isShort = count <= Self.few
        texts = isShort ? [] : Array(repeating: "", count: columns.count)
    }

    var isEmpty: Bool { texts.allSatisfy(\.isEmpty) }

    /// The names of the columns.
    var names: String { columns.map(\.name).joined(separator: ", ") }

    /// Adds a row.
    mutating func add(_ values: [String]) {
        if isShort {
            let expressions = zip(columns, values).map { $0.column.expression($1) }
            return texts.append("(\(expressions.joined(separator: ", ")))")
        }
        for (index, value) in values.enumerated() {
            if !texts[index].isEmpty { texts[index] += "," }
            texts[index] += value
        }
    }

    /// The rows as the source of an `INSERT`.
    var source: String {
        precondition(!order.isEmpty, "two nodes could lock the rows in different orders")
        // An id has one length, and so has an instant since 2001: the order of the texts is that of the values.
        if isShort { return "VALUES \(texts.sorted().joined(separator: ", "))" }
        let values = columns.map { $0.column == .instant ? Self.instant("v.\($0.name)") : "v.\($0.name)" }
        let order = order.map { name in
            columns.contains { $0.name == name && $0.column == .text } ? "v.\(name) COLLATE \"C\"" : "v.\(name)"
        }
        return """
            SELECT \(values.joined(separator: ", ")) FROM unnest(\(arguments)) v (\(names))
            ORDER BY \(order.joined(separator: ", "))
            """
    }

    /// The arrays as arguments of `unnest`.
    var arguments: String {
        zip(texts, columns).map { "'{\($0)}'::\($1.column.type)[]" }.joined(separator: ", ")
    }

    /// Returns the instant of a number of microseconds, as SQL.
    ///
    /// PostgreSQL multiplies by whole microseconds without rounding.
    static func instant(_ microseconds: String) -> String {
        "timestamptz '1970-01-01 00:00:00+00' + interval '1 us' * \(microseconds)"
    }
}
