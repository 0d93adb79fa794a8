import ArgumentParser
import MortiseClient

/// The `mortise member list` command.
struct MemberList: ListCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the members of an organization, newest first.",
        discussion: HelpText.discussion(
            "A person with roles in several workspaces appears once for each.",
            needs: MemberCommand.needs,
            examples: ["member list --organization acme", "member list --organization acme --role owner --json"]
        )
    )

    @OptionGroup(title: "Organization")
    var place: OrganizationOptions

    @Option(help: ArgumentHelp("Only members of this workspace, by its id. (default: all)", valueName: "id"))
    var workspace: String?

    @Option(help: "Only members with this role. (default: all)")
    var role: MemberRole?

    @Option(help: "Only members with this text in the address or the name. (default: all)")
    var query: String?

    @OptionGroup
    var options: ListOptions

    var columns: [TableColumn<Mortise.Member>] {
        [
            TableColumn("ID") { $0.id },
            TableColumn("E-MAIL", minimum: 12) { $0.user.email },
            TableColumn("NAME", minimum: 8) { DisplayText.optional($0.user.name) },
            TableColumn("ROLE") { $0.role.rawValue },
            TableColumn("WORKSPACE") { DisplayText.optional($0.workspaceID) },
            TableColumn("SINCE (UTC)") { DisplayText.minute($0.createdAt) },
        ]
    }

    func list(_ client: Mortise) -> PageSequence<Mortise.Member> {
        client.members(of: place.organization)
            .list(workspaceID: workspace, role: role?.role, query: query, limit: options.pages.limit)
    }
}
