import ArgumentParser
import MortiseClient

struct KeyDisable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable",
        abstract: "Switch a key off until it is enabled again.",
        discussion: HelpText.discussion(
            "When the command returns, no node accepts the key any more.",
            needs: HelpText.adminKey,
            examples: ["key disable ID --workspace shop"]
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
        try await connection.show(.post(place.path(key.id, "disable")), output)
    }
}

struct KeyEnable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable",
        abstract: "Switch a disabled key on again.",
        discussion: HelpText.discussion(
            "A key that was revoked or has expired stays so.",
            needs: HelpText.adminKey,
            examples: ["key enable ID --workspace shop"]
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
        try await connection.show(.post(place.path(key.id, "enable")), output)
    }
}
