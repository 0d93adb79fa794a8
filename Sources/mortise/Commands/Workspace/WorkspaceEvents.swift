import ArgumentParser
import MortiseClient

/// The `mortise workspace events` command.
struct WorkspaceEvents: ListCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "List the audit events of a workspace, newest first.",
        discussion: HelpText.discussion(
            "Every change of a key is an event, with its actor and address. --json shows what changed.",
            needs: HelpText.adminKey,
            examples: ["workspace events shop", "workspace events shop --since 2026-01-01T00:00:00Z --all --json"]
        )
    )

    @OptionGroup
    var target: WorkspaceArgument

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
        try await names.requireActor(
            name,
            organization: try? await names.organization(nil),
            workspace: try await names.workspace(target.workspace)
        )
    }

    func list(_ names: Names) async throws -> @Sendable (Mortise) -> PageSequence<Mortise.Event> {
        let workspace = try await names.workspace(target.workspace)
        let filter = events.filter
        let limit = options.pages.limit
        return { $0.workspaces.events(workspace, filter, limit: limit) }
    }
}
