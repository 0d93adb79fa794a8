import ArgumentParser
import Keys

/// `mortise migrate`.
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the databases to the schema of this version.",
        discussion: HelpText.discussion(
            """
            The control database comes first, then with --workspaces all workspaces: one alone, and if its files go through, the
            rest, several at once. A database that fails is reported and stops no other, but for that first one; one that cannot
            be reached stops nothing. There is nothing to resume: run it again, and it goes on where it stopped. Servers of the
            version before keep running meanwhile.
            """,
            needs: "the database settings of `mortise serve`, and its secrets file, which is not made here",
            examples: [
                "migrate --status --workspaces",
                "migrate --workspaces --dry-run",
                "migrate --workspaces --concurrency 8",
                "migrate --workspaces --canary 01979d2c-1c50-7cc5-9c1e-0f5f2a7f8a11",
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

    @Flag(help: "Show what each database has seen, when, and what it lacks; change nothing.")
    var status = false

    @Option(help: ArgumentHelp("How many workspaces at once, 1 to 64.", valueName: "count"))
    var concurrency = 4

    @Option(
        help: ArgumentHelp(
            "The workspace to begin with, by id. (default: the oldest that can be reached)",
            valueName: "workspace"
        )
    )
    var canary: String?

    @Flag(help: "Print one JSON object a line for each database.")
    var json = false

    @OptionGroup(title: "Installation")
    var installation: InstallationOptions

    func validate() throws {
        guard !(dryRun && status) else { throw ValidationError("--dry-run and --status exclude each other.") }
        guard (1...64).contains(concurrency) else { throw ValidationError("--concurrency is from 1 to 64.") }
        guard let canary else { return }
        guard UUIDv7.parse(canary) != nil else { throw ValidationError("--canary is the id of a workspace.") }
        guard workspaces, !dryRun, !status else {
            throw ValidationError(
                "--canary says where to begin with --workspaces, and nothing begins without a change."
            )
        }
    }

    func run() async throws {
        let settings = try MigrateSettings(
            installation.reader(),
            includesWorkspaces: workspaces,
            action: status ? .status : dryRun ? .dryRun : .apply,
            concurrency: concurrency,
            canary: canary.flatMap(UUIDv7.parse),
            printsJSON: json
        )
        try await runMigrations(settings)
    }
}
