import ArgumentParser
import MortiseClient

struct SessionIssuerRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Believe an issuer's sessions no longer.",
        discussion: HelpText.discussion(
            "Its users are refused from then on; the keys that they made work on. Asks first.",
            needs: HelpText.operatorKey,
            examples: [
                "session-issuer remove ID --organization acme", "session-issuer remove ID --organization acme --yes",
            ]
        )
    )

    @Argument(help: ArgumentHelp("The issuer's id, as `mortise session-issuer list` shows it.", valueName: "id"))
    var id: String

    @OptionGroup(title: "Where")
    var place: SessionIssuerPlace

    @OptionGroup var confirmation: Confirmation

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func run() async throws {
        try await confirmation.ask("Remove the session issuer \(id)? Its users' sessions are refused then.")
        try await connection.run(.delete(place.path(id)), output, done: "Removed.")
    }
}
