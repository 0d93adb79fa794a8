import ArgumentParser
import MortiseClient

/// The `mortise key disable` command.
struct KeyDisable: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable",
        abstract: "Disable a key until it is enabled again.",
        discussion: HelpText.discussion(
            "When the command returns, no node accepts the key.",
            needs: HelpText.adminKey,
            examples: ["key disable ID --workspace shop"]
        )
    )

    @OptionGroup
    var target: KeyTarget

    @OptionGroup
    var options: CallOptions

    func request() -> Request<Mortise.Key> {
        Request { client throws(MortiseError) in try await target.keys(client).disable(target.id) }
    }
}

/// The `mortise key enable` command.
struct KeyEnable: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable",
        abstract: "Enable a disabled key.",
        discussion: HelpText.discussion(
            "A key that is revoked or expired stays so.",
            needs: HelpText.adminKey,
            examples: ["key enable ID --workspace shop"]
        )
    )

    @OptionGroup
    var target: KeyTarget

    @OptionGroup
    var options: CallOptions

    func request() -> Request<Mortise.Key> {
        Request { client throws(MortiseError) in try await target.keys(client).enable(target.id) }
    }
}
