import ArgumentParser
import MortiseClient

/// The `mortise member remove` command.
struct MemberRemove: ActionCommand, ConfirmedCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove a member from an organization.",
        discussion: HelpText.discussion(
            "The member's sessions end at once. The last owner cannot be removed. Asks for confirmation.",
            needs: MemberCommand.needs,
            examples: ["member remove ID --organization acme", "member remove ID --organization acme --yes"]
        )
    )

    @OptionGroup
    var target: MemberTarget

    @OptionGroup
    var options: ConfirmedOptions

    var question: String { "Remove the member \(target.id)? The member's sessions end." }

    var success: String { "Removed." }

    func request() -> Request<Void> {
        Request { client throws(MortiseError) in try await target.members(client).remove(target.id) }
    }
}
