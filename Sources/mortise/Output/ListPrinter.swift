import JSON

/// Shows the pages of a list as they arrive.
struct ListPrinter {
    let listing: Listing
    let output: OutputOptions
    /// Whether JSON is written one object a line, since the end is not known yet.
    let isStreaming: Bool

    private var table: Table?
    private var collected: [JSONValue] = []

    init(listing: Listing, output: OutputOptions, isStreaming: Bool) {
        self.listing = listing
        self.output = output
        self.isStreaming = isStreaming
    }

    /// Shows one page.
    mutating func print(_ items: [JSONValue]) throws {
        if output.quiet {
            for item in items { try Output.line(Wording.text(item["id"]).printable) }
        } else if output.json, isStreaming {
            for item in items { try Output.line(item.text) }
        } else if output.json {
            collected += items
        } else if !items.isEmpty {
            let rows = items.map(listing.cells)
            let layout = table ?? Table(listing.columns, rows: rows, width: Terminal.outputWidth)
            if table == nil { try Output.line(layout.header) }
            table = layout
            for row in rows { try Output.line(layout.line(row)) }
        }
    }

    /// Shows what had to wait for the end.
    func finish() throws {
        if output.json, !isStreaming {
            try Output.line(JSONValue.array(collected).text)
        } else if !output.json, !output.quiet, table == nil {
            try Output.error("There are none.")
        }
    }
}
