import ArgumentParser
import MortiseClient

/// The `mortise key get` command.
struct KeyGet: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show a key.",
        discussion: HelpText.discussion(
            "Prints the properties of the key that have a value, but never its token. --wide prints all.",
            needs: HelpText.adminKey,
            examples: ["key get CI --workspace shop", "key get CI --workspace acme/shop --json"]
        )
    )

    @OptionGroup
    var target: KeyTarget

    @OptionGroup
    var options: CallOptions

    func request(_ names: Names) async throws -> Request<Mortise.Key> {
        let key = try await names.key(target)
        return Request { client throws(MortiseError) in try await client.keys(key.collection).get(key.id) }
    }
}
