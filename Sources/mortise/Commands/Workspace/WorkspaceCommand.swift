import ArgumentParser
import MortiseClient

/// The `mortise workspace` commands.
struct WorkspaceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workspace",
        abstract: "Manage workspaces (tenants).",
        discussion: HelpText.reflowed(
            """
            A workspace has its own database, which holds its keys. Name a workspace by its id, by its slug, or by
            ORGANIZATION/SLUG, such as acme/shop.
            """
        ),
        subcommands: [
            WorkspaceCreate.self, WorkspaceList.self, WorkspaceGet.self, WorkspaceUpdate.self, WorkspaceEvents.self,
            WorkspaceUsage.self, WorkspaceSuspend.self, WorkspaceResume.self, WorkspaceArchive.self,
            WorkspaceRestore.self,
            WorkspaceDelete.self,
        ],
        aliases: ["ws"]
    )
}

/// The workspace of a command.
struct WorkspaceArgument: ParsableArguments {
    @Argument(help: "The workspace: its id, its slug, or ORGANIZATION/SLUG.")
    var workspace: String
}

extension Report {
    /// The text after a change of a workspace.
    static func changed(_ verb: String, _ workspace: Mortise.Workspace) -> Report {
        Report(sentence: "\(verb) the workspace \(workspace.slug).", members: ["id", "state"])
    }
}
