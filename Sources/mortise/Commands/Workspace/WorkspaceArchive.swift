import ArgumentParser
import MortiseClient

struct WorkspaceArchive: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Take a workspace out of use.",
        discussion: HelpText.discussion(
            "Its keys are refused from then on; its database stays until it is deleted. Asks first.",
            needs: HelpText.adminKey,
            examples: ["workspace archive shop", "workspace archive shop --yes"]
        )
    )

    @OptionGroup var target: WorkspaceArgument

    @OptionGroup var confirmation: Confirmation

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func run() async throws {
        try await confirmation.ask("Archive the workspace \(target.workspace)? All its keys stop working.")
        try await connection.show(.post(WorkspaceCommand.path(target.workspace, "archive")), output)
    }
}

struct WorkspaceDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a workspace with its database.",
        discussion: HelpText.discussion(
            "Its keys and their events are gone for good. Asks first.",
            needs: HelpText.adminKey,
            examples: ["workspace delete shop", "workspace delete shop --yes"]
        )
    )

    @OptionGroup var target: WorkspaceArgument

    @OptionGroup var confirmation: Confirmation

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func run() async throws {
        try await confirmation.ask(
            "Delete the workspace \(target.workspace) with its database, its keys and their history? This is final."
        )
        try await connection.run(.delete(WorkspaceCommand.path(target.workspace)), output, done: "Deleted.")
    }
}
