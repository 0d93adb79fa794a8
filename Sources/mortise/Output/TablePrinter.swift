/// A column of a table, with the cell that each row has in it.
struct TableColumn<Row>: Sendable {
    let column: Column
    let cell: @Sendable (Row) -> String
    /// Returns the color of a cell's text.
    ///
    /// `nil` leaves it as it is.
    let style: @Sendable (String) -> Style?

    /// Describes a column.
    ///
    /// - Parameters:
    ///   - heading: The text above the column.
    ///   - minimum: The narrowest width that a cell may be cut to. `nil` for text that must stay whole, such as an id.
    ///   - style: Returns the color of a cell's text.
    ///   - cell: Returns the cell of a row.
    init(
        _ heading: String,
        minimum: Int? = nil,
        style: @escaping @Sendable (String) -> Style? = { _ in nil },
        _ cell: @escaping @Sendable (Row) -> String
    ) {
        column = Column(heading, minimum: minimum)
        self.cell = cell
        self.style = style
    }
}

/// Prints rows as a table on standard output.
///
/// The first rows decide the widths of the columns.
struct TablePrinter<Row> {
    private let columns: [TableColumn<Row>]
    private var table: Table?

    init(_ columns: [TableColumn<Row>]) {
        self.columns = columns
    }

    /// True until a row is printed.
    var isEmpty: Bool { table == nil }

    /// Prints rows, and before the first one the headings.
    mutating func print(_ rows: [Row]) throws {
        guard !rows.isEmpty else { return }
        let cells = rows.map { row in columns.map { $0.cell(row) } }
        let layout: Table
        if let table {
            layout = table
        } else {
            layout = Table(columns.map(\.column), rows: cells, width: Terminal.outputWidth)
            table = layout
            try Output.line(Style.strong.paint(layout.header))
        }
        for row in cells {
            let line = layout.line(row) { index, text in columns[index].style(row[index])?.paint(text) ?? text }
            try Output.line(line)
        }
    }
}
