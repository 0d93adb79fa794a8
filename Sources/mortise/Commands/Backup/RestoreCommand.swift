import ArgumentParser

/// The `mortise restore` command.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Restore an installation from a backup to empty PostgreSQL servers.",
        discussion: HelpText.discussion(
            """
            The command checks every file of the backup before it changes anything, and refuses servers that have an installation. If
            it is interrupted, run it again: it goes on where it ended. Put the secrets file of the installation in place first.

            Keys that were revoked after the moment of the backup are not revoked in the backup. So the restored installation is held:
            all workspaces are suspended, all sessions are ended, and no server starts until `mortise release` confirms the moment.

            A cluster is restored to the server that its connection string in the backup names. --cluster names another one.
            """,
            needs: """
                the database settings of `mortise serve`, the secrets file of the installation, and the programs pg_dump and \
                pg_restore of the server's version
                """,
            examples: [
                "restore /backup/mortise-2026-11-26",
                "restore /backup/today --cluster second='host=10.0.0.9 user=mortise'",
            ],
            exits: "0 restored and held, 1 refused or not complete, 64 usage or setting error"
        )
    )

    @Argument(help: ArgumentHelp("The folder of the backup.", valueName: "folder"), completion: .directory)
    var folder: String

    @Option(
        help: ArgumentHelp(
            "Restore the workspaces of a cluster to this server. Repeatable. (default: as in the backup)",
            valueName: "name=connection-string"
        )
    )
    var cluster: [String] = []

    @OptionGroup
    var jobs: JobOptions

    @OptionGroup(title: "Installation")
    var installation: InstallationOptions

    private func clusters() throws -> [String: String] {
        var clusters: [String: String] = [:]
        for text in cluster {
            guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                throw ValidationError("--cluster must be NAME=CONNECTION-STRING.")
            }
            clusters[String(text[..<equals])] = String(text[text.index(after: equals)...])
        }
        return clusters
    }

    func validate() throws { _ = try clusters() }

    func run() async throws {
        let reader = try installation.reader()
        try await BackupRun(InstallationSettings(reader, runsPrograms: true), tools: reader, jobs: jobs.jobs)
            .restore(from: folder, clusters: clusters(), flags: installation.words)
    }
}
