import ArgumentParser

/// The `mortise backup` command.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Back up the whole installation into a folder.",
        discussion: HelpText.discussion(
            """
            The folder gets a dump (pg_dump, custom format) of the control database and of every workspace on every cluster, and a
            manifest with checksums. Servers can run meanwhile. If the command is interrupted, or a cluster is down, run it again with
            the same folder: it goes on where it ended. A backup can be restored when the command has said that it is complete.

            The secrets file is not in the backup, because a backup with it could make the access tokens of members. Without the
            secrets file, no token of a restored installation can be verified. Keep a copy of it in another place.
            """,
            needs: """
                the database settings of `mortise serve`, the secrets file, and the programs pg_dump and pg_restore of the server's \
                version
                """,
            examples: ["backup /backup/mortise-2026-11-26", "backup /backup/today --jobs 8"],
            exits: "0 complete, 1 not complete, 64 usage or setting error"
        )
    )

    @Argument(help: ArgumentHelp("The folder, which is created.", valueName: "folder"), completion: .directory)
    var folder: String

    @OptionGroup
    var jobs: JobOptions

    @OptionGroup(title: "Installation")
    var installation: InstallationOptions

    func run() async throws {
        let reader = try installation.reader()
        try await BackupRun(InstallationSettings(reader, runsPrograms: true), tools: reader, jobs: jobs.jobs)
            .run(into: folder)
    }
}

/// The number of databases that are dumped or restored at once.
struct JobOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Work on this many databases at once, 1 to 64.", valueName: "count"))
    var jobs = 2

    func validate() throws {
        guard (1...64).contains(jobs) else { throw ValidationError("--jobs must be 1 to 64.") }
    }
}
