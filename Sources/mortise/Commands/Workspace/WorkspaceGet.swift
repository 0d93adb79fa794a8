import ArgumentParser
import MortiseClient

/// The `mortise workspace get` command.
struct WorkspaceGet: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show a workspace.",
        discussion: HelpText.discussion(
            "Prints every property of the workspace.",
            needs: HelpText.adminKey,
            examples: ["workspace get default", "workspace get default --json"]
        )
    )

    @OptionGroup
    var target: WorkspaceArgument

    @OptionGroup
    var options: CallOptions

    func request() -> Request<Mortise.Workspace> {
        Request { client throws(MortiseError) in try await client.workspaces.get(target.workspace) }
    }
}
