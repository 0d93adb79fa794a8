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
            examples: ["key events ID --workspace shop", "key events ID --workspace shop --type rotated"]
        )
    )

    @OptionGroup
    var target: KeyTarget

    @OptionGroup(title: "Filters")
    var events: EventOptions

    @OptionGroup
    var options: ListOptions

    var columns: [TableColumn<Mortise.Event>] { EventOptions.columns }

    func list(_ client: Mortise) -> PageSequence<Mortise.Event> {
        target.keys(client).events(target.id, events.filter, limit: options.pages.limit)
    }
}
