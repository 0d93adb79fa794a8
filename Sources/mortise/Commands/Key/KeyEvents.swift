import ArgumentParser
import MortiseClient

/// The `mortise key events` command.
struct KeyEvents: ListCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "List the audit events of a key, newest first.",
        discussion: HelpText.discussion(
            "Each event names the actor, the time and the address. The events of a deleted key stay. --json shows what changed.",
            needs: HelpText.adminKey,
            examples: ["key events CI --workspace shop", "key events CI --workspace shop --type rotated"]
        )
    )

    @OptionGroup
    var target: KeyTarget

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
        let owner = target.owner
        let organization: String? = if owner.operator { nil } else { try? await names.organization(owner.organization) }
        let workspace: String? = if let name = owner.workspace { try await names.workspace(name) } else { nil }
        try await names.requireActor(name, organization: organization, workspace: workspace)
    }

    func list(_ names: Names) async throws -> @Sendable (Mortise) -> PageSequence<Mortise.Event> {
        let key = try await names.keyWithEvents(target)
        let filter = events.filter
        let limit = options.pages.limit
        return { $0.keys(key.collection).events(key.id, filter, limit: limit) }
    }
}
