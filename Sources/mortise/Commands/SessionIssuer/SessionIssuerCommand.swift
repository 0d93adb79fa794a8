import ArgumentParser
import MortiseClient

/// The `mortise session-issuer` commands.
struct SessionIssuerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session-issuer",
        abstract: "Manage session issuers, whose users manage their own client keys: list, add, remove.",
        discussion: HelpText.reflowed(
            """
            The users of an organization's own application can manage their client keys with the sessions of that application,
            for example Clerk's. For this, the operator adds the issuer of the sessions and the place of its public keys. An
            issuer belongs to one organization. To change an issuer, remove it and add it again.
            """
        ),
        subcommands: [SessionIssuerList.self, SessionIssuerAdd.self, SessionIssuerRemove.self]
    )
}
