import ArgumentParser

/// `mortise workspace`.
struct WorkspaceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workspace",
        abstract: "Workspaces, the tenants: create, list, get, update, suspend, resume, archive, delete.",
        discussion: HelpText.reflowed(
            """
            A workspace has a database of its own, and its keys live there. It is named by its id, or by its slug within
            the organization of the credential.
            """
        ),
        subcommands: [
            WorkspaceCreate.self, WorkspaceList.self, WorkspaceGet.self, WorkspaceUpdate.self, WorkspaceEvents.self,
            WorkspaceSuspend.self, WorkspaceResume.self, WorkspaceArchive.self, WorkspaceDelete.self,
        ],
        aliases: ["ws"]
    )

    static func path(_ workspace: String, _ more: String...) -> [String] { ["v1", "workspaces", workspace] + more }
}

/// The workspace that a command is about.
struct WorkspaceArgument: ParsableArguments {
    @Argument(help: "The workspace's id, or its slug within the credential's organization.")
    var workspace: String
}
