import ArgumentParser
import JSON
import MortiseClient

/// A command that prints a usage report.
protocol UsageCommand: AsyncParsableCommand, Sendable {
    /// The report to print.
    var usage: UsageOptions { get }
    /// The server.
    var connection: ConnectionOptions { get }

    /// Looks the names of the command up, and returns the call that reads the rows of the report.
    func report(_ names: Names) async throws -> @Sendable (Mortise) -> PageSequence<Mortise.UsageRow>

    /// Looks up the names of keys for the text, by their ids. Finds none by default.
    func keyNames(_ ids: Set<String>, _ names: Names) async throws -> [String: String]
}

extension UsageCommand {
    func keyNames(_ ids: Set<String>, _ names: Names) async throws -> [String: String] { [:] }

    func run() async throws {
        let names = Names(try await connection.client())
        try await names.explained { try await run(names) }
    }

    private func run(_ names: Names) async throws {
        let report = try await report(names)
        var rows: [Mortise.UsageRow] = []
        var objects: [JSONValue] = []
        var next: String?
        repeat {
            let cursor = next
            let request = Request { client throws(MortiseError) in try await report(client).page(at: cursor) }
            let answer = try await names.answer(to: request)
            if usage.json { objects += answer.json["data"]?.array ?? [] } else { rows += answer.value.items }
            next = answer.value.next
        } while next != nil
        guard !usage.json else { return try Output.line(JSONValue.array(objects).outputText) }
        let ids = Set(rows.compactMap(\.keyID))
        let keys: [String: String] = if ids.isEmpty { [:] } else { try await keyNames(ids, names) }
        let chart = UsageChart(rows, usage.query, keys: keys, width: Terminal.outputWidth)
        for line in chart.lines { try Output.line(line) }
        if rows.isEmpty { try Output.error("No verification was counted in this time.") }
    }
}
