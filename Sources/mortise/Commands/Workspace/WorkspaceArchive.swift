import ArgumentParser
import MortiseClient

/// The `mortise workspace archive` command.
struct WorkspaceArchive: ObjectCommand, ConfirmedCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Archive a workspace.",
        discussion: HelpText.discussion(
            """
            Its keys are refused from then on. Its database stays until the workspace is deleted. An archived workspace cannot
            be resumed. Asks for confirmation.
            """,
            needs: HelpText.adminKey,
            examples: ["workspace archive shop", "workspace archive shop --yes"]
        )
    )

    @OptionGroup
    var target: WorkspaceArgument

    @OptionGroup
    var options: ConfirmedOptions

    var question: String { "Archive the workspace \(target.workspace)? All its keys stop working for good." }

    func request() -> Request<Mortise.Workspace> {
        Request { client throws(MortiseError) in try await client.workspaces.archive(target.workspace) }
    }
}

/// The `mortise workspace delete` command.
struct WorkspaceDelete: ActionCommand, ConfirmedCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete an archived workspace and its database.",
        discussion: HelpText.discussion(
            "Its keys and their events are lost. Asks for confirmation.",
            needs: HelpText.adminKey,
            examples: ["workspace delete shop", "workspace delete shop --yes"]
        )
    )

    @OptionGroup
    var target: WorkspaceArgument

    @OptionGroup
    var options: ConfirmedOptions

    var question: String {
        "Delete the workspace \(target.workspace), its database, its keys and their history? This cannot be undone."
    }

    var success: String { "Deleted." }

    func request() -> Request<Void> {
        Request { client throws(MortiseError) in try await client.workspaces.delete(target.workspace) }
    }
}
