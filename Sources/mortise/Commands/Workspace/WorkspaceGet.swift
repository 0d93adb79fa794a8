import ArgumentParser
import MortiseClient

struct WorkspaceGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show one workspace.",
        discussion: HelpText.discussion(
            "Everything that the server tells of it.",
            needs: HelpText.adminKey,
            examples: ["workspace get default", "workspace get default --json"]
        )
    )

    @OptionGroup var target: WorkspaceArgument

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func run() async throws {
        try await connection.show(.get(WorkspaceCommand.path(target.workspace)), output)
    }
}
