import ArgumentParser
import MortiseClient

struct MemberRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "End a membership.",
        discussion: HelpText.discussion(
            "The member's sessions end at once. Asks first. The last owner cannot be removed.",
            needs: MemberCommand.needs,
            examples: ["member remove ID --organization acme", "member remove ID --organization acme --yes"]
        )
    )

    @OptionGroup var member: MemberArgument

    @OptionGroup(title: "Where")
    var place: MemberPlace

    @OptionGroup var confirmation: Confirmation

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func run() async throws {
        try await confirmation.ask("Remove the member \(member.id)?")
        try await connection.run(.delete(place.path(member.id)), output, done: "Removed.")
    }
}
