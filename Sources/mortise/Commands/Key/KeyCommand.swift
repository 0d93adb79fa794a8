import ArgumentParser

/// The `mortise key` commands.
struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Manage API keys.",
        discussion: HelpText.reflowed(
            """
            Each command works on the keys of one owner. --workspace W selects the service keys of a workspace. --workspace W
            --client selects its client keys. --organization O selects the admin keys of an organization. --operator selects the
            operator keys of the platform. Name a key by its name, its id, or the first characters of its token.

            `mortise key generate` makes a token for the settings of `mortise serve`, without a server. `mortise key recover` creates an
            operator key beside the database, after all others are lost.
            """
        ),
        groupedSubcommands: [
            CommandGroup(name: "Inspection", subcommands: [KeyList.self, KeyGet.self, KeyEvents.self, KeyUsage.self]),
            CommandGroup(
                name: "Management",
                subcommands: [KeyCreate.self, KeyUpdate.self, KeyRotate.self, KeyDisable.self, KeyEnable.self]
            ),
            CommandGroup(
                name: "Retirement",
                subcommands: [KeyDeprecate.self, KeyRevoke.self, KeyRetire.self, KeyDelete.self]
            ),
            CommandGroup(name: "Offline", subcommands: [KeyGenerate.self, KeyRecover.self]),
        ]
    )
}
