import JSON
import MortiseClient

/// Prints the pages of a list as they arrive.
struct ListPrinter<Item: Identifiable & Sendable> where Item.ID == String {
    private enum State {
        /// A table for people. The first page decides the widths.
        case table(TablePrinter<Item>)
        /// The ids, one per line.
        case ids
        /// One JSON object per line, because the end of the list is not known yet.
        case objects
        /// A JSON array of the items so far, which is printed at the end.
        case array([JSONValue])
    }

    private var state: State

    /// Prepares the output of a list.
    ///
    /// - Parameters:
    ///   - columns: The columns of the table.
    ///   - format: The form of the output.
    ///   - isStream: True if the list may be long, so that JSON is printed one object per line.
    init(_ columns: [TableColumn<Item>], format: OutputFormat, isStream: Bool) {
        state =
            switch format {
            case .text: .table(TablePrinter(columns))
            case .json: isStream ? .objects : .array([])
            case .quiet: .ids
            }
    }

    /// Prints a page.
    mutating func print(_ answer: ServerAnswer<Page<Item>>) throws {
        let objects = answer.json["data"]?.array ?? []
        switch state {
        case .table(var table):
            try table.print(answer.value.items)
            state = .table(table)
        case .ids:
            for item in answer.value.items { try Output.line(item.id.printable) }
        case .objects:
            for object in objects { try Output.line(object.outputText) }
        case .array(let earlier): state = .array(earlier + objects)
        }
    }

    /// Prints the rest at the end of the list.
    func finish() throws {
        switch state {
        case .table(let table): if table.isEmpty { try Output.error("No items found.") }
        case .array(let objects): try Output.line(JSONValue.array(objects).outputText)
        case .ids, .objects: break
        }
    }
}
