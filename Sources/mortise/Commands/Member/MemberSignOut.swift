import ArgumentParser
import MortiseClient

/// The `mortise member sign-out` command.
struct MemberSignOut: ActionCommand, ConfirmedCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign-out",
        abstract: "End the sessions of a member.",
        discussion: HelpText.discussion(
            """
            The sessions of the user in the organization end at once. The user can sign in again: to prevent that, change the
            password or remove the member. Asks for confirmation.
            """,
            needs: MemberCommand.needs,
            examples: ["member sign-out ID --organization acme", "member sign-out ID --organization acme --yes"]
        )
    )

    @OptionGroup
    var target: MemberTarget

    @OptionGroup
    var options: ConfirmedOptions

    var question: String { "End the sessions of the member \(target.id)?" }

    var success: String { "Ended." }

    func request() -> Request<Void> {
        Request { client throws(MortiseError) in _ = try await target.members(client).endSessions(target.id) }
    }
}
