import ArgumentParser
import MortiseClient

/// The `mortise workspace get` command.
struct WorkspaceGet: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show a workspace.",
        discussion: HelpText.discussion(
            "Prints the properties of the workspace that have a value. --wide prints all.",
            needs: HelpText.adminKey,
            examples: ["workspace get default", "workspace get default --json"]
        )
    )

    @OptionGroup
    var target: WorkspaceArgument

    @OptionGroup
    var options: CallOptions

    func request(_ names: Names) async throws -> Request<Mortise.Workspace> {
        let workspace = try await names.workspace(target.workspace)
        return Request { client throws(MortiseError) in try await client.workspaces.get(workspace) }
    }
}
