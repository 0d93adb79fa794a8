import ArgumentParser
import Keys

/// The `mortise release` command.
struct ReleaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Allow servers to start on a restored installation.",
        discussion: HelpText.discussion(
            """
            A restored installation has the state of its backup. Whatever ended after the moment of the backup works again after the
            release: admin keys and operator keys that were revoked, members who were removed, and passwords that were changed. To
            confirm this, name the moment. Without --moment, the command shows it.

            The keys of workspaces stay refused after the release, because all workspaces are suspended. Start a server, revoke the
            keys again that were revoked after the moment, and resume each workspace (`mortise workspace resume`). With
            --resume-workspaces, the next start of a server resumes all workspaces that were active in the backup. Keys that were
            revoked after the moment work again then.
            """,
            needs: "the database settings of `mortise serve`, and the secrets file",
            examples: [
                "release", "release --moment 2026-11-26T02:00:13.482117Z",
                "release --moment 2026-11-26T02:00:13.482117Z --resume-workspaces",
            ],
            exits: "0 released, or not held, 1 held or refused, 64 usage or setting error"
        )
    )

    @Option(
        help: ArgumentHelp("The moment of the backup, as `mortise restore` printed it (RFC 3339).", valueName: "time"),
        transform: ReleaseCommand.time
    )
    var moment: Timestamp?

    @Flag(
        help: "Resume all workspaces that were active in the backup, with all keys that were not revoked in the backup."
    )
    var resumeWorkspaces = false

    @OptionGroup(title: "Installation")
    var installation: InstallationOptions

    private static func time(_ text: String) throws -> Timestamp {
        guard let time = Timestamp(rfc3339: text) else {
            throw ValidationError("\(text.printable) is not a time, such as 2026-11-26T02:00:13Z.")
        }
        return time
    }

    func validate() throws {
        guard moment != nil || !resumeWorkspaces else {
            throw ValidationError("--resume-workspaces requires --moment.")
        }
    }

    func run() async throws {
        try await ReleaseRun(InstallationSettings(installation.reader()))
            .run(moment: moment, resumesWorkspaces: resumeWorkspaces, flags: installation.words)
    }
}
