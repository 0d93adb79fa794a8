import ArgumentParser
import JSON
import Keys
import Tenancy

struct ClusterList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the PostgreSQL servers of this installation, newest first.",
        discussion: HelpText.discussion(
            "The first one that an installation has is called primary, and is the server of its control database.",
            needs: "the database settings of `mortise serve`, and its secrets file",
            examples: ["cluster list", "cluster list --json"],
            exits: "0 listed, 1 refused or out of reach, 64 wrong usage"
        )
    )

    @Flag(help: "Print a JSON array.")
    var json = false

    @OptionGroup(title: "Installation")
    var installation: InstallationOptions

    private static let columns = [Column("NAME"), Column("CREATED (UTC)"), Column("CONNECTION", minimum: 20)]

    func run() async throws {
        let clusters = try await ClusterRun(InstallationSettings(installation.reader())).list()
        guard !json else {
            let items = clusters.map { cluster -> JSONValue in
                [
                    "id": .string(UUIDv7.text(of: cluster.id)), "name": .string(cluster.name),
                    "connection": cluster.isPrimary ? .null : .string(cluster.conninfo),
                    "created_at": .string(cluster.createdAt.rfc3339),
                ]
            }
            try Output.line(JSONValue.array(items).text)
            return
        }
        let rows = clusters.map { cluster in
            [
                cluster.name, Wording.minute(.string(cluster.createdAt.rfc3339)),
                cluster.isPrimary ? "the control database's" : cluster.conninfo,
            ]
        }
        let table = Table(Self.columns, rows: rows, width: Terminal.outputWidth)
        try Output.line(table.header)
        for row in rows { try Output.line(table.line(row)) }
    }
}
