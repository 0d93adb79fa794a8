import ArgumentParser
import MortiseClient

/// The `mortise member` commands.
struct MemberCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "member",
        abstract: "Manage the members of an organization: list, add, change, remove.",
        discussion: HelpText.reflowed(
            """
            A member signs in with an e-mail address and a password. The member's role applies to the whole organization or to
            one of its workspaces. Name a membership by its id, as `mortise member list` shows it.
            """
        ),
        subcommands: [MemberList.self, MemberAdd.self, MemberChange.self, MemberSignOut.self, MemberRemove.self]
    )

    static let needs =
        "a running server, and an admin key or session token with the permission members:write (MORTISE_TOKEN or --token-file)"
}

/// The membership of a command.
struct MemberTarget: ParsableArguments {
    @Argument(help: ArgumentHelp("The id of the membership, as `mortise member list` shows it.", valueName: "id"))
    var id: String

    @OptionGroup(title: "Organization")
    var place: OrganizationOptions

    /// Returns the members among which the membership is.
    func members(_ client: Mortise) -> Mortise.Members { client.members(of: place.organization) }
}
