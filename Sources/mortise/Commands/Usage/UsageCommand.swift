import ArgumentParser
import JSON
import MortiseClient

/// A command that prints a usage report.
protocol UsageCommand: AsyncParsableCommand, Sendable {
    /// The report to print.
    var usage: UsageOptions { get }
    /// The server.
    var connection: ConnectionOptions { get }

    /// Returns the rows of the report.
    func rows(_ client: Mortise) -> PageSequence<Mortise.UsageRow>
}

extension UsageCommand {
    func run() async throws {
        let client = try await connection.client()
        var rows: [Mortise.UsageRow] = []
        var objects: [JSONValue] = []
        var next: String?
        repeat {
            let cursor = next
            let request = Request { client throws(MortiseError) in try await self.rows(client).page(at: cursor) }
            let answer = try await client.answer(to: request)
            if usage.json { objects += answer.json["data"]?.array ?? [] } else { rows += answer.value.items }
            next = answer.value.next
        } while next != nil
        guard !usage.json else { return try Output.line(JSONValue.array(objects).outputText) }
        let chart = UsageChart(rows, usage.query, width: Terminal.outputWidth)
        for line in chart.lines { try Output.line(line) }
        if rows.isEmpty { try Output.error("No verification was counted in this time.") }
    }
}
