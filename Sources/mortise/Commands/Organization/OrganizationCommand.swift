import ArgumentParser

/// The `mortise organization` commands.
struct OrganizationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "organization",
        abstract: "Manage organizations: create, list, get, update, events, delete.",
        discussion: HelpText.reflowed(
            """
            An organization owns workspaces, and its admin keys manage them. The operators of the platform create, rename and
            delete organizations, with the operator key.
            """
        ),
        subcommands: [
            OrganizationCreate.self, OrganizationList.self, OrganizationGet.self, OrganizationUpdate.self,
            OrganizationEvents.self, OrganizationDelete.self,
        ],
        aliases: ["org"]
    )
}

/// The organization of a command.
struct OrganizationArgument: ParsableArguments {
    @Argument(help: "The id or slug of the organization.")
    var organization: String
}
