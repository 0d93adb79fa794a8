import ArgumentParser
import MortiseClient

/// The `mortise member sessions` command.
struct MemberSessions: SessionsCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions",
        abstract: "List the sessions of a member that have not ended.",
        discussion: HelpText.discussion(
            "The list has up to 100 sessions, newest first. `mortise member sign-out` ends them.",
            needs: MemberCommand.needs,
            examples: ["member sessions ada@example.com"]
        )
    )

    @OptionGroup
    var target: MemberTarget

    @OptionGroup
    var options: CallOptions

    func request(_ names: Names) async throws -> Request<[Mortise.SessionSummary]> {
        let member = try await names.member(target)
        return Request { client throws(MortiseError) in
            try await client.members(of: member.organization).sessions(member.id)
        }
    }
}
