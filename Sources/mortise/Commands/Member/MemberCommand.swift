import ArgumentParser

/// `mortise member`.
struct MemberCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "member",
        abstract: "Members of an organization: list, add, change, remove.",
        discussion: HelpText.reflowed(
            """
            A member signs in with an e-mail address and a password, and may do what the role says, in the whole organization
            or in one workspace of it. A membership is named by its id, as `mortise member list` shows it.
            """
        ),
        subcommands: [MemberList.self, MemberAdd.self, MemberChange.self, MemberRemove.self]
    )

    static let needs =
        "a running server, and an admin key or session token with the permission members:write (MORTISE_TOKEN or --token-file)"
}

/// Whose members a command is about.
struct MemberPlace: ParsableArguments {
    @Option(help: "The organization, by id or slug.")
    var organization: String

    /// The path of the members, or of one of them.
    func path(_ more: String...) -> [String] { ["v1", "organizations", organization, "members"] + more }
}

/// The membership that a command is about.
struct MemberArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The membership's id, as `mortise member list` shows it.", valueName: "id"))
    var id: String
}
