import ArgumentParser

/// `mortise session-issuer`.
struct SessionIssuerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session-issuer",
        abstract: "Whose users manage their own client keys: list, add, remove.",
        discussion: HelpText.reflowed(
            """
            The users of an organization's own application manage their client keys with the sessions that they have there, such
            as Clerk's, once the operator has named who issues these and where the issuer's public keys are. An issuer belongs to
            one organization. It is not changed: remove it and add it anew.
            """
        ),
        subcommands: [SessionIssuerList.self, SessionIssuerAdd.self, SessionIssuerRemove.self]
    )
}

/// Whose session issuers a command is about.
struct SessionIssuerPlace: ParsableArguments {
    @Option(help: "The organization, by id or slug.")
    var organization: String

    /// The path of the session issuers, or of one of them.
    func path(_ more: String...) -> [String] { ["v1", "organizations", organization, "session-issuers"] + more }
}
