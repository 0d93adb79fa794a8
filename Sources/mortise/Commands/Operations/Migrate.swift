import ArgumentParser

/// The `mortise migrate` command.
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Migrate the databases to the schema of this version.",
        discussion: HelpText.discussion(
            """
            The control database comes first. With --workspaces, the workspaces' databases follow: one alone, and if it succeeds,
            the others, several at once. A failure in the first workspace stops the run. Later failures are reported and stop no
            other database. A database that cannot be reached never stops the run. Run the command again to continue where it
            stopped. After a first Ctrl-C or SIGTERM, the migrations under way end or are taken back, and the other databases are
            skipped. Servers of the previous version keep running meanwhile. The output has the numbers of databases, and those that
            are not up to date. --all has a line for each.
            """,
            needs: "the database settings of `mortise serve`, and the secrets file, which this command does not create",
            examples: [
                "migrate --status --workspaces",
                "migrate --workspaces --dry-run",
                "migrate --workspaces --concurrency 8",
                "migrate --workspaces --canary acme/shop",
            ],
            exits: """
                0 all databases are up to date (with --dry-run and --status: all were examined), 1 at least one is not, or was \
                migrated by a later release, 64 usage or setting error, 130 interrupted
                """
        )
    )

    @Flag(help: "Migrate the workspaces' databases too.")
    var workspaces = false

    @Flag(help: "Show the migrations that would be applied, and change nothing.")
    var dryRun = false

    @Flag(help: "Show the migrations that each database has, with their times, and those it lacks. Change nothing.")
    var status = false

    @Option(help: ArgumentHelp("Migrate this many workspaces at once, 1 to 64.", valueName: "count"))
    var concurrency = 4

    @Option(
        help: ArgumentHelp(
            "Migrate this workspace first: its id, its slug, or ORGANIZATION/SLUG. (default: the oldest that can be reached)",
            valueName: "workspace"
        )
    )
    var canary: String?

    @Flag(help: "Print a line for each database, not only the sums and what is not up to date.")
    var all = false

    @Flag(help: "Print one JSON object for each database as soon as its outcome is known, one on each line.")
    var json = false

    @OptionGroup(title: "Installation")
    var installation: InstallationOptions

    private var action: MigrateSettings.Action { status ? .status : dryRun ? .dryRun : .apply }

    func validate() throws {
        guard !(dryRun && status) else { throw ValidationError("Use --dry-run or --status, not both.") }
        guard (1...64).contains(concurrency) else { throw ValidationError("--concurrency must be 1 to 64.") }
        guard canary != nil else { return }
        guard workspaces, action == .apply else {
            throw ValidationError("Use --canary with --workspaces, and without --dry-run and --status.")
        }
    }

    func run() async throws {
        let settings = try MigrateSettings(
            installation.reader(),
            includesWorkspaces: workspaces,
            action: action,
            concurrency: concurrency,
            canary: canary,
            showsAll: all,
            printsJSON: json
        )
        try await runMigrations(settings)
    }
}
