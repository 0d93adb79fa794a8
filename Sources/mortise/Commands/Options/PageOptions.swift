import ArgumentParser
import JSON
import MortiseClient

/// How much of a list is wanted.
struct PageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("How many at once, 1 to 100.", valueName: "count"))
    var limit = 50

    @Option(help: ArgumentHelp("Go on where an earlier page ended.", valueName: "cursor"))
    var cursor: String?

    @Flag(help: "Read page after page to the end; with --json one object a line instead of an array.")
    var all = false

    func validate() throws {
        guard (1...100).contains(limit) else { throw ValidationError("--limit is from 1 to 100.") }
    }
}

/// A list of the API and how it is shown.
struct Listing {
    let path: [String]
    let query: [(name: String, value: String?)]
    let columns: [Column]
    let cells: (JSONValue) -> [String]

    /// Reads and shows the pages that are wanted.
    func show(_ pages: PageOptions, _ connection: ConnectionOptions, _ output: OutputOptions) async throws {
        try await connection.withClient { client in
            var printer = ListPrinter(listing: self, output: output, isStreaming: pages.all)
            var cursor = pages.cursor
            repeat {
                let page = try await read(client, limit: pages.limit, cursor: cursor)
                try printer.print(page.items)
                guard page.next == nil || page.next != cursor else {
                    throw CommandFailure(.unreachable, "The server gave the same page twice; the list is not complete.")
                }
                cursor = page.next
            } while pages.all && cursor != nil
            try printer.finish()
            if let cursor, !output.quiet {
                try Output.error("There are more: --all reads them, --cursor \(cursor.printable) goes on.")
            }
        }
    }

    private func read(
        _ client: CommandClient,
        limit: Int,
        cursor: String?
    ) async throws -> (items: [JSONValue], next: String?) {
        var query = query.compactMap { item in item.value.map { (name: item.name, value: $0) } }
        query.append(("limit", "\(limit)"))
        if let cursor { query.append(("cursor", cursor)) }
        let body = try await client.send(.get(path, query: query))
        guard let items = body?["data"]?.array else {
            throw CommandFailure(.unreachable, "The server's answer is not a list.")
        }
        return (items, body?["next_cursor"]?.string)
    }
}
