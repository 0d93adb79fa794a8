import ArgumentParser
import MortiseClient

/// The `mortise key disable` command.
struct KeyDisable: KeysCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable",
        abstract: "Disable keys until they are enabled again.",
        discussion: HelpText.discussion(
            """
            When the command returns, no node accepts the keys. Up to 100 keys are disabled together: all of them, or none.
            """,
            needs: HelpText.adminKey,
            examples: ["key disable CI --workspace shop", "key disable CI staging --workspace shop"]
        )
    )

    @OptionGroup
    var targets: KeyTargets

    @OptionGroup
    var options: CallOptions

    var verb: String { "Disabled" }

    func request(_ key: NamedKey) -> Request<Mortise.Key> {
        Request { client throws(MortiseError) in
            try await client.keys(key.collection).disable(key.id)
        }
    }

    func request(_ ids: [String], _ collection: KeyCollection) -> Request<[Mortise.Key]> {
        Request { client throws(MortiseError) in
            try await client.keys(collection).disable(ids)
        }
    }

    func report(_ key: Mortise.Key) -> Report { .changed("Disabled", key) }
}

/// The `mortise key enable` command.
struct KeyEnable: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable",
        abstract: "Enable a disabled key.",
        discussion: HelpText.discussion(
            "A key that is revoked or expired stays so.",
            needs: HelpText.adminKey,
            examples: ["key enable CI --workspace shop"]
        )
    )

    @OptionGroup
    var target: KeyTarget

    @OptionGroup
    var options: CallOptions

    func request(_ names: Names) async throws -> Request<Mortise.Key> {
        let key = try await names.key(target)
        return Request { client throws(MortiseError) in
            try await client.keys(key.collection).enable(key.id)
        }
    }

    func report(_ key: Mortise.Key) -> Report { .changed("Enabled", key) }
}
