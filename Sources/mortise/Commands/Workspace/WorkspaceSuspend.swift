import ArgumentParser
import MortiseClient

struct WorkspaceSuspend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suspend",
        abstract: "Stop accepting the keys of a workspace until it is resumed.",
        discussion: HelpText.discussion(
            "When the command returns, no node accepts a key of the workspace any more. Nothing is deleted.",
            needs: HelpText.adminKey,
            examples: ["workspace suspend shop"]
        )
    )

    @OptionGroup var target: WorkspaceArgument

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func run() async throws {
        try await connection.show(.post(WorkspaceCommand.path(target.workspace, "suspend")), output)
    }
}

struct WorkspaceResume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Accept the keys of a suspended workspace again.",
        discussion: HelpText.discussion(
            "Keys that were revoked or have expired stay so.",
            needs: HelpText.adminKey,
            examples: ["workspace resume shop"]
        )
    )

    @OptionGroup var target: WorkspaceArgument

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func run() async throws {
        try await connection.show(.post(WorkspaceCommand.path(target.workspace, "resume")), output)
    }
}
