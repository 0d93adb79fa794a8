import ArgumentParser
import JSON
import MortiseClient

struct WorkspaceUpdate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change the name or the slug of a workspace.",
        discussion: HelpText.discussion(
            "Only what is named changes. Keys and tokens do not depend on either.",
            needs: HelpText.adminKey,
            examples: ["workspace update shop --name \"Web shop\"", "workspace update shop --clear-name"]
        )
    )

    @OptionGroup var target: WorkspaceArgument

    @Option(help: "The new name.")
    var name: String?

    @Flag(help: "Leave the workspace without a name.")
    var clearName = false

    @Option(help: "The new slug.")
    var slug: String?

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func validate() throws {
        guard name != nil || slug != nil || clearName else { throw ValidationError("There is nothing to change.") }
        guard name == nil || !clearName else { throw ValidationError("--name and --clear-name exclude each other.") }
    }

    func run() async throws {
        var body = JSONObject()
        body["name"] = clearName ? .null : name.map(JSONValue.string)
        body["slug"] = slug.map(JSONValue.string)
        try await connection.show(.patch(WorkspaceCommand.path(target.workspace), body), output)
    }
}
