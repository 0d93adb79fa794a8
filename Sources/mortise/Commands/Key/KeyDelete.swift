import ArgumentParser
import MortiseClient

struct KeyDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a key; its events stay.",
        discussion: HelpText.discussion(
            "When the command returns, every node refuses the key. Asks first.",
            needs: HelpText.adminKey,
            examples: ["key delete ID --workspace shop", "key delete ID --workspace shop --yes"]
        )
    )

    @OptionGroup var key: KeyArgument

    @OptionGroup(title: "Whose key")
    var place: KeyPlace

    @OptionGroup var confirmation: Confirmation

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func run() async throws {
        try await confirmation.ask("Delete the key \(key.id)? It never works again; its events stay.")
        try await connection.run(.delete(place.path(key.id)), output, done: "Deleted.")
    }
}
