import ArgumentParser
import MortiseClient

/// The `mortise workspace list` command.
struct WorkspaceList: ListCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the workspaces that the credential can see, newest first.",
        discussion: HelpText.discussion(
            "Filters narrow the list.",
            needs: HelpText.adminKey,
            examples: [
                "workspace list", "workspace list --state suspended", "workspace list --query shop --all --json",
            ]
        )
    )

    @Option(help: "Only workspaces of this organization, by its id. (default: all)")
    var organization: String?

    @Option(help: "Only workspaces in this state: creating, active, suspended, archived or deleting. (default: all)")
    var state: String?

    @Option(help: "Only workspaces with this text in the name or slug. (default: all)")
    var query: String?

    @OptionGroup
    var options: ListOptions

    var columns: [TableColumn<Mortise.Workspace>] {
        [
            TableColumn("ID") { $0.id },
            TableColumn("SLUG", minimum: 8) { $0.slug },
            TableColumn("NAME", minimum: 12) { DisplayText.optional($0.name) },
            TableColumn("STATE") { $0.state.rawValue },
            TableColumn("CREATED (UTC)") { DisplayText.minute($0.createdAt) },
        ]
    }

    func list(_ client: Mortise) -> PageSequence<Mortise.Workspace> {
        client.workspaces.list(
            organization: organization,
            state: state.map(Mortise.Workspace.State.init),
            query: query,
            limit: options.pages.limit
        )
    }
}
