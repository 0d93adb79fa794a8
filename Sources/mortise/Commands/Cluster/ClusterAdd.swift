import ArgumentParser

/// The `mortise cluster add` command.
struct ClusterAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a PostgreSQL server, after a connection test.",
        discussion: HelpText.discussion(
            """
            The role in the connection string must be able to create databases and roles. The control database stores the
            string, which must not hold a password. Instead, libpq reads the password from the password file (~/.pgpass or
            PGPASSFILE) on every Mortise server, or uses a certificate. Running servers use the cluster at once.
            """,
            needs:
                "the database settings of `mortise serve`, its secrets file, and PostgreSQL 15 or later on the cluster",
            examples: [
                "cluster add second 'host=db2.internal user=mortise_owner sslmode=verify-full'",
                "cluster add second postgresql://mortise_owner@db2.internal --database-url-file /run/secrets/database-url",
            ],
            exits: "0 added, 1 refused or unreachable, 64 usage error"
        )
    )

    @Argument(help: ArgumentHelp("The name: 1 to 63 lower-case letters, digits and dashes.", valueName: "name"))
    var name: String

    @Argument(help: .clusterConnectionString)
    var conninfo: String

    @OptionGroup(title: "Installation")
    var installation: InstallationOptions

    func run() async throws {
        try await ClusterRun(InstallationSettings(installation.reader())).add(name, conninfo)
        try Output.line("Added the cluster \(name.printable).")
    }
}
