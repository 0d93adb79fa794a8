import ArgumentParser

/// `mortise key`.
struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Keys: create, list, get, update, disable, enable, deprecate, rotate, revoke, delete, events.",
        discussion: HelpText.reflowed(
            """
            --workspace W is about a workspace's service keys, --workspace W --client about its client keys,
            --organization O about an organization's admin keys, --operator about the platform's operator keys.

            `mortise key generate` makes a token for the settings of `mortise serve`, without a server.
            """
        ),
        groupedSubcommands: [
            CommandGroup(name: "Looking", subcommands: [KeyList.self, KeyGet.self, KeyEvents.self]),
            CommandGroup(
                name: "Making and changing",
                subcommands: [KeyCreate.self, KeyUpdate.self, KeyRotate.self, KeyDisable.self, KeyEnable.self]
            ),
            CommandGroup(name: "Ending", subcommands: [KeyDeprecate.self, KeyRevoke.self, KeyDelete.self]),
            CommandGroup(name: "Without a server", subcommands: [KeyGenerate.self]),
        ]
    )
}
