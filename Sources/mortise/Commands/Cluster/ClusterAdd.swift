import ArgumentParser

struct ClusterAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a PostgreSQL server, after having connected to it.",
        discussion: HelpText.discussion(
            """
            The role that the connection string names must be allowed to create databases and roles there. The string is stored in
            the control database and must not hold a password: libpq takes it from the password file (~/.pgpass or PGPASSFILE), which
            every server of Mortise needs, or a certificate takes its place. Servers that are running use the cluster at once.
            """,
            needs: "the database settings of `mortise serve`, its secrets file, and PostgreSQL 15 or later there",
            examples: [
                "cluster add second 'host=db2.internal user=mortise_owner sslmode=verify-full'",
                "cluster add second postgresql://mortise_owner@db2.internal --database-url-file /run/secrets/database-url",
            ],
            exits: "0 added, 1 refused or out of reach, 64 wrong usage"
        )
    )

    @Argument(help: ArgumentHelp("1 to 63 lower-case letters, digits and dashes.", valueName: "name"))
    var name: String

    @Argument(help: ArgumentHelp("How its owner role connects, without a password.", valueName: "connection-string"))
    var conninfo: String

    @OptionGroup(title: "Installation")
    var installation: InstallationOptions

    func run() async throws {
        try await ClusterRun(InstallationSettings(installation.reader())).add(name, conninfo)
        try Output.line("Added the cluster \(name.printable).")
    }
}
