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

    var columns: [TableColumn<Mortise.Event>] { EventOptions.columns }

    func list(_ client: Mortise) -> PageSequence<Mortise.Event> {
        client.workspaces.events(target.workspace, events.filter, limit: options.pages.limit)
    }
}
