import ArgumentParser
import MortiseClient

/// The `mortise status` command.
struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the state of the installation: nodes, connections, PostgreSQL servers and standbys.",
        discussion: HelpText.discussion(
            """
            The figures of connections are those of the node that answers. A PostgreSQL server that does not answer within two seconds
            is unreachable. `mortise doctor` examines the settings of the servers.
            """,
            needs: HelpText.operatorKey,
            examples: ["status", "status --json"],
            exits: """
                0 every PostgreSQL server answers, 1 refused by the server, or a PostgreSQL server does not answer, \
                3 no Mortise answers, 64 usage error, 74 output error, 130 interrupted
                """
        )
    )

    @Flag(name: .long, help: "Print the server's JSON instead of text.")
    var json = false

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func run() async throws {
        let answer = try await answer()
        if json {
            try Output.line(answer.json.outputText)
        } else {
            for line in StatusText(answer.value).lines { try Output.line(line) }
        }
        let silent = answer.value.clusters.filter { !$0.isReachable }
        guard silent.isEmpty else {
            throw CommandFailure(
                .refused,
                "\(silent.map(\.name).joined(separator: ", ")): the PostgreSQL server does not answer.",
                details: silent.compactMap { cluster in cluster.fault.map { "\(cluster.name): \($0)." } }
            )
        }
    }

    private func answer() async throws -> ServerAnswer<Mortise.Status> {
        let client = try await connection.client()
        let request = Request { client throws(MortiseError) in try await client.status() }
        do throws(CommandFailure) {
            return try await client.answer(to: request)
        } catch {
            guard error.reason == .forbidden else { throw error }
            throw error.adding(
                "This needs an operator key. Name its file with --token-file, or its profile with --profile."
            )
        }
    }
}
