import ArgumentParser
import JSON
import Keys
import Tenancy

/// The `mortise cluster list` command.
struct ClusterList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the clusters of this installation, newest first.",
        discussion: HelpText.discussion(
            "The first cluster of an installation is \"primary\", the server of its control database.",
            needs: "the database settings of `mortise serve`, and its secrets file",
            examples: ["cluster list", "cluster list --json"],
            exits: "0 listed, 1 refused or unreachable, 64 usage error"
        )
    )

    @Flag(help: "Print a JSON array.")
    var json = false

    @OptionGroup(title: "Installation")
    var installation: InstallationOptions

    private static let columns = [
        TableColumn<Cluster>("NAME") { $0.name },
        TableColumn("CREATED (UTC)") { DisplayText.second(rfc3339: $0.createdAt.rfc3339) },
        TableColumn("CONNECTION", minimum: 20) { $0.isPrimary ? "the control database's" : $0.conninfo },
    ]

    func run() async throws {
        let clusters = try await ClusterRun(InstallationSettings(installation.reader())).list()
        if json {
            try Output.line(JSONValue.array(clusters.map(Self.json)).outputText)
        } else {
            var table = TablePrinter(Self.columns)
            try table.print(clusters)
        }
    }

    private static func json(_ cluster: Cluster) -> JSONValue {
        [
            "id": .string(UUIDv7.text(of: cluster.id)), "name": .string(cluster.name),
            "connection": cluster.isPrimary ? .null : .string(cluster.conninfo),
            "created_at": .string(cluster.createdAt.rfc3339),
        ]
    }
}
