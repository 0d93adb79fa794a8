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
            examples: ["member sign-out ada@example.com", "member sign-out ada@example.com --yes"]
        )
    )

    @OptionGroup
    var target: MemberTarget

    @OptionGroup
    var options: ConfirmedOptions

    func question(_ names: Names) -> String { "End the sessions of the member \(target.member)?" }

    var success: String { "Ended the sessions of the member \(target.member)." }

    func request(_ names: Names) async throws -> Request<Void> {
        let member = try await names.member(target)
        return Request { client throws(MortiseError) in
            _ = try await client.members(of: member.organization).endSessions(member.id)
        }
    }
}
