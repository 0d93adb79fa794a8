import ArgumentParser

/// The `mortise member` commands.
struct MemberCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "member",
        abstract: "Manage the members of an organization: list, add, change, sessions, sign-out, unbind, remove.",
        discussion: HelpText.reflowed(
            """
            A member signs in with an e-mail address and a password, or with the identity provider of the installation. The
            member's role applies to the whole organization or to one of its workspaces. Name a member by the e-mail address, or
            by the id of the membership.
            """
        ),
        subcommands: [
            MemberList.self, MemberAdd.self, MemberChange.self, MemberSessions.self, MemberSignOut.self,
            MemberUnbind.self, MemberRemove.self,
        ]
    )

    static let needs =
        "a running server, and an admin key or session token with the permission members:write (see Connection)"
}

/// The membership of a command.
struct MemberTarget: ParsableArguments {
    @Argument(help: ArgumentHelp("The e-mail address of the member, or the id of the membership.", valueName: "member"))
    var member: String

    @OptionGroup(title: "Organization")
    var place: OrganizationOptions
}
