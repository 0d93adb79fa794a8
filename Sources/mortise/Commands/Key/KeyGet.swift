import ArgumentParser
import MortiseClient

struct KeyGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show one key.",
        discussion: HelpText.discussion(
            "Everything that the server tells of it; never its token.",
            needs: HelpText.adminKey,
            examples: ["key get ID --workspace shop", "key get ID --organization ORG --json"]
        )
    )

    @OptionGroup var key: KeyArgument

    @OptionGroup(title: "Whose key")
    var place: KeyPlace

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func run() async throws {
        try await connection.show(.get(place.path(key.id)), output)
    }
}
