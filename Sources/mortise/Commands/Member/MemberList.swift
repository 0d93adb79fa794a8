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
            examples: [
                "member list", "member list --organization acme", "member list --organization acme --role owner --json",
            ]
        )
    )

    @OptionGroup(title: "Organization")
    var place: OrganizationOptions

    @Option(help: "Only members of this workspace: its id, its slug, or ORGANIZATION/SLUG. (default: all)")
    var workspace: String?

    @Option(help: "Only members with this role. (default: all)")
    var role: MemberRole?

    @Option(help: "Only members with this text in the address or the name. (default: all)")
    var query: String?

    @OptionGroup
    var options: ListOptions

    func columns(_ names: Names, isWide: Bool) -> [TableColumn<Mortise.Member>] {
        let ids =
            isWide
            ? [TableColumn<Mortise.Member>("ID") { $0.id }, TableColumn<Mortise.Member>("USER ID") { $0.user.id }] : []
        return ids + [
            TableColumn("E-MAIL", minimum: 12) { $0.user.email },
            TableColumn("NAME", minimum: 8) { DisplayText.optional($0.user.name) },
            TableColumn("ROLE") { $0.role.rawValue },
            TableColumn("WORKSPACE", minimum: 9) { $0.workspaceID.map(names.workspaceSlug) ?? "all" },
            .time("SINCE", isWide: isWide) { $0.createdAt },
        ]
    }

    func prepare(_ items: [Mortise.Member], _ names: Names) async throws {
        await names.learnWorkspaces(items.compactMap(\.workspaceID))
    }

    func list(_ names: Names) async throws -> @Sendable (Mortise) -> PageSequence<Mortise.Member> {
        let organization = try await names.organization(place.organization)
        let workspace: String? =
            if let workspace { try await names.workspaceID(workspace, in: place.organization) } else { nil }
        let (role, query, limit) = (role?.role, query, options.pages.limit)
        return { $0.members(of: organization).list(workspaceID: workspace, role: role, query: query, limit: limit) }
    }
}
