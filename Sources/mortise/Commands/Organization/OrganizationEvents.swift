import ArgumentParser
import MortiseClient

/// The `mortise organization events` command.
struct OrganizationEvents: ListCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "List the audit events of an organization, newest first.",
        discussion: HelpText.discussion(
            """
            The events are those of members, sessions, admin keys and workspaces. `mortise workspace events` has those of the keys
            in a workspace.
            """,
            needs: HelpText.adminKey,
            examples: ["organization events acme", "organization events acme --actor ada@example.com --all --json"]
        )
    )

    @OptionGroup
    var target: OrganizationArgument

    @OptionGroup(title: "Filters")
    var events: EventOptions

    @OptionGroup
    var options: ListOptions

    func columns(_ names: Names, isWide: Bool) -> [TableColumn<Mortise.Event>] {
        EventOptions.columns(names, isWide: isWide)
    }

    func prepare(_ items: [Mortise.Event], _ names: Names) async throws {
        // A wide list has the ids as the server names them.
        if !options.call.output.wide { await names.learn(items) }
    }

    func explainEmpty(_ names: Names) async throws {
        guard let name = events.actorName else { return }
        let organization = try await names.organization(target.organization)
        try await names.requireActor(name, organization: organization, workspace: nil)
    }

    func list(_ names: Names) async throws -> @Sendable (Mortise) -> PageSequence<Mortise.Event> {
        let organization = try await names.organization(target.organization)
        let filter = events.filter
        let limit = options.pages.limit
        return { $0.organizations.events(organization, filter, limit: limit) }
    }
}
