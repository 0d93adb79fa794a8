import ArgumentParser
import MortiseClient

/// The `mortise key get` command.
struct KeyGet: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show a key.",
        discussion: HelpText.discussion(
            "Prints every property of the key, but never its token.",
            needs: HelpText.adminKey,
            examples: ["key get ID --workspace shop", "key get ID --organization ORG --json"]
        )
    )

    @OptionGroup
    var target: KeyTarget

    @OptionGroup
    var options: CallOptions

    func request() -> Request<Mortise.Key> {
        Request { client throws(MortiseError) in try await target.keys(client).get(target.id) }
    }
}
