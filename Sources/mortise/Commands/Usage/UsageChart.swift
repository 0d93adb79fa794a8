import FoundationEssentials
package import MortiseClient

/// A usage report as lines of text, with a bar for each row on a terminal.
package struct UsageChart {
    private let rows: [Mortise.UsageRow]
    private let query: UsageQuery
    private let keys: [String: String]
    private let width: Int?

    /// Creates a chart.
    ///
    /// - Parameters:
    ///   - rows: The rows of the report, in the order of time.
    ///   - query: The report.
    ///   - keys: The names of keys by their ids. A key without a name has its id.
    ///   - width: The width of the terminal. `nil` draws no bars.
    package init(_ rows: [Mortise.UsageRow], _ query: UsageQuery, keys: [String: String] = [:], width: Int?) {
        self.rows = rows
        self.query = query
        self.keys = keys
        self.width = width
    }

    /// The lines: headings, rows and the sum.
    package var lines: [String] {
        guard !rows.isEmpty else { return [] }
        var columns = [Column("TIME (UTC)")]
        let byCode = query.grouping == .code || query.grouping == .codeAndKey
        let byKey = query.grouping == .key || query.grouping == .codeAndKey
        if byCode { columns.append(Column("VERDICT")) }
        if byKey { columns.append(Column("KEY")) }
        columns.append(Column("COUNT"))
        let largest = rows.reduce(1) { max($0, $1.count) }
        let digits = max(rows.reduce(0) { $0 + $1.count }.description.count, 5)
        var cells = rows.map { row in
            var cells = [time(row.start)]
            if byCode { cells.append(row.code ?? "-") }
            if byKey { cells.append(row.keyID.map { keys[$0] ?? $0 } ?? "-") }
            cells.append(Self.right(row.count.description, digits))
            return cells
        }
        let sum = rows.reduce(0) { $0 + $1.count }
        let blank = Array(repeating: "", count: columns.count - 2)
        cells.append(["total"] + blank + [Self.right(sum.description, digits)])
        columns[columns.count - 1] = Column(Self.right("COUNT", digits))
        let table = Table(columns, rows: cells, width: nil)
        let room = width.map { $0 - table.header.count - 2 } ?? 0
        let bars = rows.map { Self.bar($0.count, of: largest, width: room) } + [""]
        return [table.header]
            + zip(cells, bars).map { cells, bar in bar.isEmpty ? table.line(cells) : "\(table.line(cells))  \(bar)" }
    }

    private func time(_ start: Date) -> String {
        // A step begins at a whole minute, or a whole day.
        String(DisplayText.second(start).prefix(query.step == .day ? 10 : 16))
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(width - text.count, 0)) + text
    }

    /// Returns a bar, at least one eighth of a column long and at most 50 columns.
    ///
    /// The length is in proportion to the count.
    package static func bar(_ count: Int, of largest: Int, width: Int) -> String {
        let width = min(width, 50)
        guard width >= 8, count > 0, largest > 0 else { return "" }
        let eighths = max(1, Int((Double(count) / Double(largest) * Double(width * 8)).rounded()))
        let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
        return String(repeating: "█", count: eighths / 8) + rest
    }
}
