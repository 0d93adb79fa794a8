import ArgumentParser

/// `mortise migrate`.
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the databases to the schema of this version.",
        discussion: HelpText.discussion(
            """
            The control and cluster databases come first, then with --workspaces all workspaces: the first one alone, then several
            at once. A database that fails is reported and stops no other. There is nothing to resume: run it again, and it goes
            on where it stopped. Servers of the version before keep running meanwhile.
            """,
            needs: "the database settings of `mortise serve`",
            examples: [
                "migrate --status --workspaces",
                "migrate --workspaces --dry-run",
                "migrate --workspaces --concurrency 8",
            ],
            exits: """
                0 all databases are up to date (with --dry-run and --status: all could be looked at), 1 at least one is not, \
                64 wrong usage
                """
        )
    )

    @Flag(help: "The workspaces' databases too.")
    var workspaces = false

    @Flag(help: "Show what would be applied, and change nothing.")
    var dryRun = false

    @Flag(help: "Show where each database stands, and change nothing.")
    var status = false

    @Option(help: ArgumentHelp("How many workspaces at once, 1 to 64.", valueName: "count"))
    var concurrency = 4

    @Flag(help: "Print one JSON object a line for each database.")
    var json = false

    @OptionGroup(title: "Installation")
    var installation: InstallationOptions

    func validate() throws {
        guard !(dryRun && status) else { throw ValidationError("--dry-run and --status exclude each other.") }
        guard (1...64).contains(concurrency) else { throw ValidationError("--concurrency is from 1 to 64.") }
    }

    func run() async throws {
        let settings = try MigrateSettings(
            installation.reader(),
            includesWorkspaces: workspaces,
            action: status ? .status : dryRun ? .dryRun : .apply,
            concurrency: concurrency,
            printsJSON: json
        )
        try await runMigrations(settings)
    }
}
