import ArgumentParser
import MortiseClient

/// The `mortise workspace update` command.
struct WorkspaceUpdate: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change the name or the slug of a workspace.",
        discussion: HelpText.discussion(
            "Options that are absent change nothing. Keys and tokens depend on neither name nor slug.",
            needs: HelpText.adminKey,
            examples: ["workspace update shop --name \"Web shop\"", "workspace update shop --clear-name"]
        )
    )

    @OptionGroup
    var target: WorkspaceArgument

    @OptionGroup
    var newName: ClearableNameOptions

    @Option(help: "The new slug.")
    var slug: String?

    @OptionGroup
    var options: CallOptions

    func validate() throws {
        guard newName.change != .keep || slug != nil else { throw ValidationError.nothingToChange }
    }

    func request() -> Request<Mortise.Workspace> {
        Request { client throws(MortiseError) in
            try await client.workspaces.update(target.workspace, name: newName.change, slug: slug)
        }
    }
}
