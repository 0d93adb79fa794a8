import ArgumentParser
import MortiseClient

/// The `mortise member unbind` command.
struct MemberUnbind: ActionCommand, ConfirmedCommand {
    static let configuration = CommandConfiguration(
        commandName: "unbind",
        abstract: "Separate a member from an account of the identity provider.",
        discussion: HelpText.discussion(
            """
            The first sign-in with the identity provider (OpenID Connect) binds its account to the member of the verified e-mail
            address. Another account with that address is refused until an owner separates the first one. The sessions of the
            member end. Asks for confirmation.
            """,
            needs: "a running server, and the session of an owner or an operator key (see Connection)",
            examples: ["member unbind ada@example.com", "member unbind ada@example.com --yes"]
        )
    )

    @OptionGroup
    var target: MemberTarget

    @OptionGroup
    var options: ConfirmedOptions

    func question(_ names: Names) -> String {
        "Separate the member \(target.member) from the account of the identity provider?"
    }

    var success: String { "Separated the member \(target.member) from the account of the identity provider." }

    func request(_ names: Names) async throws -> Request<Void> {
        let member = try await names.member(target)
        return Request { client throws(MortiseError) in
            try await client.members(of: member.organization).unbind(member.id)
        }
    }
}
