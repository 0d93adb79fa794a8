import ArgumentParser

struct WorkspaceEvents: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "List what happened in a workspace, newest first.",
        discussion: HelpText.discussion(
            "Every change of a key, with who made it and from where. --json shows what changed.",
            needs: HelpText.adminKey,
            examples: ["workspace events shop", "workspace events shop --since 2026-01-01T00:00:00Z --all --json"]
        )
    )

    @OptionGroup var target: WorkspaceArgument

    @OptionGroup(title: "Filters")
    var filter: EventFilter

    @OptionGroup(title: "Pages")
    var pages: PageOptions

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func run() async throws {
        try await filter.listing(WorkspaceCommand.path(target.workspace, "events")).show(pages, connection, output)
    }
}
