import ArgumentParser
import MortiseClient

/// The `mortise member remove` command.
struct MemberRemove: ActionCommand, ConfirmedCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove a member from an organization.",
        discussion: HelpText.discussion(
            """
            The member's sessions end at once, and the member's client keys are disabled. The last owner cannot be removed. Asks for
            confirmation.
            """,
            needs: MemberCommand.needs,
            examples: ["member remove ada@example.com", "member remove ada@example.com --client-keys revoke --yes"]
        )
    )

    @OptionGroup
    var target: MemberTarget

    @Option(
        help: """
            Disable, keep or revoke the member's client keys in workspaces that the member can no longer enter.
            """
    )
    var clientKeys = ClientKeyTreatment.disable

    @OptionGroup
    var options: ConfirmedOptions

    func question(_ names: Names) -> String {
        "Remove the member \(target.member)? The member's sessions end, and the client keys \(clientKeys.effect)."
    }

    var success: String { "Removed the member \(target.member)." }

    func request(_ names: Names) async throws -> Request<Void> {
        let member = try await names.member(target)
        return Request { client throws(MortiseError) in
            try await client.members(of: member.organization).remove(member.id, clientKeys: clientKeys.outcome)
        }
    }
}
