import ArgumentParser

/// `mortise organization`.
struct OrganizationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "organization",
        abstract: "Organizations: create, list, get, update.",
        discussion: HelpText.reflowed(
            """
            An organization owns workspaces, and its admin keys manage them. These commands are the platform's: they need
            the operator key.
            """
        ),
        subcommands: [OrganizationCreate.self, OrganizationList.self, OrganizationGet.self, OrganizationUpdate.self],
        aliases: ["org"]
    )
}
