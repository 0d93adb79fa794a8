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

    @Option(help: "Only workspaces of this organization, by its id or slug. (default: all)")
    var organization: String?

    @Option(help: "Only workspaces in this state: creating, active, suspended, archived or deleting. (default: all)")
    var state: String?

    @Option(help: "Only workspaces with this text in the name or slug. (default: all)")
    var query: String?

    @OptionGroup
    var options: ListOptions

    func columns(_ names: Names, isWide: Bool) -> [TableColumn<Mortise.Workspace>] {
        let id = isWide ? [TableColumn<Mortise.Workspace>("ID") { $0.id }] : []
        let more = isWide ? [TableColumn<Mortise.Workspace>("CLUSTER ID") { $0.clusterID }] : []
        let owner = TableColumn<Mortise.Workspace>("ORGANIZATION", minimum: 12) {
            names.organizationSlug($0.organizationID)
        }
        return id + (names.isOperator ? [owner] : []) + [
            TableColumn("SLUG", minimum: 8) { $0.slug },
            TableColumn("NAME", minimum: 12) { DisplayText.optional($0.name) },
            TableColumn("STATE", style: Style.of(status:)) { $0.state.rawValue },
            .time("CREATED", isWide: isWide) { $0.createdAt },
        ] + more
    }

    func prepare(_ items: [Mortise.Workspace], _ names: Names) async throws {
        if names.isOperator { try await names.learnOrganizations(items.map(\.organizationID)) }
    }

    func list(_ names: Names) async throws -> @Sendable (Mortise) -> PageSequence<Mortise.Workspace> {
        let organization: String? =
            if let organization { try await names.organizationID(organization) } else { nil }
        let (state, query, limit) = (state.map(Mortise.Workspace.State.init), query, options.pages.limit)
        return { $0.workspaces.list(organization: organization, state: state, query: query, limit: limit) }
    }
}
