import ArgumentParser

/// The `mortise workspace` commands.
struct WorkspaceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workspace",
        abstract: "Manage workspaces (tenants): create, list, get, update, suspend, resume, archive, delete.",
        discussion: HelpText.reflowed(
            """
            A workspace has its own database, which holds its keys. Name a workspace by its id, or by its slug in the
            organization of the credential.
            """
        ),
        subcommands: [
            WorkspaceCreate.self, WorkspaceList.self, WorkspaceGet.self, WorkspaceUpdate.self, WorkspaceEvents.self,
            WorkspaceUsage.self, WorkspaceSuspend.self, WorkspaceResume.self, WorkspaceArchive.self,
            WorkspaceDelete.self,
        ],
        aliases: ["ws"]
    )
}

/// The workspace of a command.
struct WorkspaceArgument: ParsableArguments {
    @Argument(help: "The id of the workspace, or its slug in the organization of the credential.")
    var workspace: String
}
