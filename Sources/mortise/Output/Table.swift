/// A column of a table.
package struct Column: Sendable {
    /// The text above the column.
    package let heading: String
    /// The narrowest width that a cell may be cut to, in columns of the terminal.
    ///
    /// `nil` for text that must stay whole, such as an id.
    package let minimum: Int?

    /// Describes a column.
    package init(_ heading: String, minimum: Int? = nil) {
        self.heading = heading
        self.minimum = minimum
    }
}

/// The widths of a table's columns.
///
/// The first rows decide the widths and later rows keep them, so that a long list can be printed while it is read.
package struct Table: Sendable {
    private let columns: [Column]
    private let widths: [Int]
    private let isBounded: Bool

    /// Lays out a table.
    ///
    /// If the terminal is too narrow, the widest column that may be cut is cut first. Text that still does not fit wraps,
    /// because a hidden column would hide that it exists.
    ///
    /// - Parameters:
    ///   - columns: The columns from left to right.
    ///   - rows: The first rows, with one cell per column.
    ///   - width: The width of the terminal. `nil` cuts nothing.
    package init(_ columns: [Column], rows: [[String]], width: Int?) {
        self.columns = columns
        isBounded = width != nil
        var widths = columns.indices.map { index in
            rows.reduce(columns[index].heading.columns) { max($0, $1[index].printable.columns) }
        }
        if let width {
            let gaps = Table.gap.count * (columns.count - 1)
            while widths.reduce(gaps, +) > width {
                let cuttable = columns.indices.filter { index in
                    columns[index].minimum.map { widths[index] > max($0, columns[index].heading.columns) } ?? false
                }
                guard let widest = cuttable.max(by: { widths[$0] < widths[$1] }) else { break }
                widths[widest] -= 1
            }
        }
        self.widths = widths
    }

    /// The line of headings.
    package var header: String { line(columns.map(\.heading)) }

    /// Returns a row as a line.
    package func line(_ cells: [String]) -> String { line(cells) { $1 } }

    /// Returns a row as a line with colors.
    ///
    /// - Parameters:
    ///   - cells: The text of each cell.
    ///   - paint: Returns the text of a cell in its color. The color does not count for the width.
    /// - Returns: The line.
    package func line(_ cells: [String], paint: (Int, String) -> String) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            if index > 0 { line += Table.gap }
            let isCut = isBounded && columns[index].minimum != nil
            let text = isCut ? cell.printable.cut(to: widths[index]) : cell.printable
            line += paint(index, text)
            if index < cells.count - 1 { line += String(repeating: " ", count: max(0, widths[index] - text.columns)) }
        }
        return line
    }

    private static let gap = "  "
}
