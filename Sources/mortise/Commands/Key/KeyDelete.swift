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
            examples: ["key delete CI --workspace shop", "key delete CI --workspace shop --yes"]
        )
    )

    @OptionGroup
    var target: KeyTarget

    @OptionGroup
    var options: ConfirmedOptions

    func question(_ names: Names) async throws -> String {
        "Delete the key \(try await names.key(target).label)? It never works again. Its events stay."
    }

    var success: String { "Deleted the key \(target.key)." }

    func request(_ names: Names) async throws -> Request<Void> {
        let key = try await names.key(target)
        return Request { client throws(MortiseError) in try await client.keys(key.collection).delete(key.id) }
    }
}
