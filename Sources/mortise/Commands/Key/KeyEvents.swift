import ArgumentParser

struct KeyEvents: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "List what happened to a key, newest first.",
        discussion: HelpText.discussion(
            "Who changed it, when, and from where. The events of a deleted key stay. --json shows what changed.",
            needs: HelpText.adminKey,
            examples: ["key events ID --workspace shop", "key events ID --workspace shop --type rotated"]
        )
    )

    @OptionGroup var key: KeyArgument

    @OptionGroup(title: "Whose key")
    var place: KeyPlace

    @OptionGroup(title: "Filters")
    var filter: EventFilter

    @OptionGroup(title: "Pages")
    var pages: PageOptions

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func run() async throws {
        try await filter.listing(place.path(key.id, "events")).show(pages, connection, output)
    }
}
