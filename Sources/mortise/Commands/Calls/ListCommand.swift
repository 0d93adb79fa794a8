import ArgumentParser
import MortiseClient

/// A command that lists objects, one page or all of them.
protocol ListCommand: CallCommand where Options == ListOptions {
    associatedtype Item: Sendable, Identifiable where Item.ID == String

    /// The columns of the table.
    var columns: [TableColumn<Item>] { get }

    /// Returns the list, with pages of `options.pages.limit` items.
    func list(_ client: Mortise) -> PageSequence<Item>
}

extension ListCommand {
    func run() async throws {
        let pages = options.pages
        let format = options.call.output.format
        let client = try await options.call.connection.client()
        var printer = ListPrinter(columns, format: format, isStream: pages.all)
        var next = pages.cursor
        repeat {
            let cursor = next
            let request = Request { client throws(MortiseError) in try await list(client).page(at: cursor) }
            let answer = try await client.answer(to: request)
            try printer.print(answer)
            next = answer.value.next
        } while pages.all && next != nil
        try printer.finish()
        if let next, format != .quiet {
            try Output.error("There are more items. Use --all, or --cursor \(next.printable) for the next page.")
        }
    }
}
