import ArgumentParser

/// The `mortise cluster update` command.
struct ClusterUpdate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change the connection string of a cluster, after a connection test.",
        discussion: HelpText.discussion(
            """
            The server must hold the databases of the cluster's workspaces: it is the same server at another address, a standby that
            was promoted, or a server to which the databases were restored. Restart running servers afterwards. If the old PostgreSQL
            server still runs, stop it or all Mortise servers first: a Mortise server that still uses the old one would not know of changes on
            the new one. The command refuses the change if it can reach the old PostgreSQL server and Mortise servers still use it.

            Restored databases have the state of their backup, so keys that were revoked after it work again as soon as a server
            starts. Start a server that only you can reach first, and revoke these keys again.
            """,
            needs: "the database settings of `mortise serve`, and its secrets file",
            examples: ["cluster update second 'host=db3.internal user=mortise_owner sslmode=verify-full'"],
            exits: "0 changed, 1 refused or unreachable, 64 usage error"
        )
    )

    @Argument(help: ArgumentHelp("The name of the cluster.", valueName: "name"))
    var name: String

    @Argument(help: .clusterConnectionString)
    var conninfo: String

    @OptionGroup(title: "Installation")
    var installation: InstallationOptions

    func run() async throws {
        try await ClusterRun(InstallationSettings(installation.reader())).update(name, conninfo)
        try Output.line("Changed the cluster \(name.printable). Restart running servers.")
    }
}
