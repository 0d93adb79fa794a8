import ArgumentParser
import MortiseClient

/// The `mortise key update` command.
struct KeyUpdate: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change the settings of a key.",
        discussion: HelpText.discussion(
            """
            Options that are absent change nothing. A new list replaces the old one. When the command returns, every node uses
            the new settings.
            """,
            needs: HelpText.adminKey,
            examples: [
                "key update CI --workspace shop --scope read:orders --scope read:items",
                "key update CI --workspace shop --clear expires-at --clear allowed-ips",
            ]
        )
    )

    @OptionGroup
    var target: KeyTarget

    @Option(help: "The new name.")
    var name: String?

    @OptionGroup(title: "New settings")
    var settings: KeySettingsOptions

    @Option(
        help: ArgumentHelp("A setting that gets the default of a new key again. Repeatable.", valueName: "setting")
    )
    var clear: [ClearableSetting] = []

    @OptionGroup
    var options: CallOptions

    func validate() throws {
        try options.connection.check(settings.metadata.metadataFile, of: "--metadata-file")
    }

    func report(_ key: Mortise.Key) -> Report {
        var report = Report.changed("Changed", key)
        report.members = nil
        return report
    }

    func request(_ names: Names) async throws -> Request<Mortise.Key> {
        var changes = try await settings.changes(name: name)
        for setting in clear { try setting.clear(in: &changes) }
        guard changes != Mortise.KeyChanges() else { throw ValidationError.nothingToChange }
        let final = changes
        let key = try await names.key(target)
        return Request { client throws(MortiseError) in try await client.keys(key.collection).update(key.id, final) }
    }
}
