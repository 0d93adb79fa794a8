import ArgumentParser
import JSON
import MortiseClient

struct KeyRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "End a key for good, at once.",
        discussion: HelpText.discussion(
            "When the command returns, every node refuses the key. Asks first; revoking again changes nothing.",
            needs: HelpText.adminKey,
            examples: ["key revoke ID --workspace shop --reason leaked", "key revoke ID --workspace shop --yes"]
        )
    )

    @OptionGroup var key: KeyArgument

    @OptionGroup(title: "Whose key")
    var place: KeyPlace

    @Option(help: "Why, for the record.")
    var reason: String?

    @OptionGroup var confirmation: Confirmation

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func run() async throws {
        try await confirmation.ask("Revoke the key \(key.id)? It never works again.")
        var body = JSONObject()
        body["reason"] = reason.map(JSONValue.string)
        try await connection.show(.post(place.path(key.id, "revoke"), body), output)
    }
}
