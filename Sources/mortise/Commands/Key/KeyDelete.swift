import ArgumentParser
import MortiseClient

/// The `mortise key delete` command.
struct KeyDelete: ActionCommand, ConfirmedCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a key, but keep its events.",
        discussion: HelpText.discussion(
            "When the command returns, every node refuses the key. Asks for confirmation.",
            needs: HelpText.adminKey,
            examples: ["key delete ID --workspace shop", "key delete ID --workspace shop --yes"]
        )
    )

    @OptionGroup
    var target: KeyTarget

    @OptionGroup
    var options: ConfirmedOptions

    var question: String { "Delete the key \(target.id)? It never works again. Its events stay." }

    var success: String { "Deleted." }

    func request() -> Request<Void> {
        Request { client throws(MortiseError) in try await target.keys(client).delete(target.id) }
    }
}
