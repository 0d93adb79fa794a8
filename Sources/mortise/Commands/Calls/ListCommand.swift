import ArgumentParser
import FoundationEssentials
import MortiseClient

/// A command that lists objects, one page or all of them.
protocol ListCommand: CallCommand where Options == ListOptions {
    associatedtype Item: Sendable, Identifiable where Item.ID == String

    /// Returns the columns of the table.
    ///
    /// - Parameters:
    ///   - names: The names that ``prepare(_:_:)`` has looked up.
    ///   - isWide: True for all columns, false for those that a person needs.
    /// - Returns: The columns from left to right.
    func columns(_ names: Names, isWide: Bool) -> [TableColumn<Item>]

    /// Looks up the names that the table needs. Does nothing by default.
    func prepare(_ items: [Item], _ names: Names) async throws

    /// Throws if the list is empty for a reason that the server does not tell. Does nothing by default.
    func explainEmpty(_ names: Names) async throws

    /// Returns the list, with pages of `options.pages.limit` items. Looks names up.
    func list(_ names: Names) async throws -> @Sendable (Mortise) -> PageSequence<Item>
}

extension ListCommand {
    func prepare(_ items: [Item], _ names: Names) async throws {}

    func explainEmpty(_ names: Names) async throws {}

    func run() async throws {
        let pages = options.pages
        let output = options.call.output
        let names = try await names()
        let source = try await names.explained { try await list(names) }
        var printer = ListPrinter(columns(names, isWide: output.wide), format: output.format, isStream: pages.all)
        var next = pages.cursor
        repeat {
            let cursor = next
            let request = Request { client throws(MortiseError) in try await source(client).page(at: cursor) }
            let answer = try await names.explained { try await names.answer(to: request) }
            if cursor == nil, answer.value.items.isEmpty { try await explainEmpty(names) }
            if output.format == .text { try await prepare(answer.value.items, names) }
            try printer.print(answer)
            next = answer.value.next
        } while pages.all && next != nil
        try printer.finish()
        if let next, output.format != .quiet {
            try Output.error("There are more items. Use --all, or --cursor \(next.printable) for the next page.")
        }
    }
}

extension TableColumn {
    /// Describes the column of a time: in relation to now, or to the second in a wide table.
    static func time(
        _ heading: String,
        isWide: Bool,
        _ time: @escaping @Sendable (Row) -> Date?
    ) -> TableColumn {
        isWide
            ? TableColumn("\(heading) (UTC)") { DisplayText.second(time($0)) }
            : TableColumn(heading) { DisplayText.relative(time($0)) }
    }
}
