import ArgumentParser
import MortiseClient

/// The `mortise session-issuer remove` command.
struct SessionIssuerRemove: ActionCommand, ConfirmedCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Stop trusting a session issuer.",
        discussion: HelpText.discussion(
            "Sessions of the issuer are refused from then on. The keys that its users created still work. Asks for confirmation.",
            needs: HelpText.operatorKey,
            examples: [
                "session-issuer remove ID --organization acme", "session-issuer remove ID --organization acme --yes",
            ]
        )
    )

    @Argument(
        help: ArgumentHelp("The id of the issuer, as `mortise session-issuer list` shows it.", valueName: "id")
    )
    var id: String

    @OptionGroup(title: "Organization")
    var place: OrganizationOptions

    @OptionGroup
    var options: ConfirmedOptions

    var question: String { "Remove the session issuer \(id)? The sessions of its users are refused." }

    var success: String { "Removed." }

    func request() -> Request<Void> {
        Request { client throws(MortiseError) in
            try await client.sessionIssuers(of: place.organization).remove(id)
        }
    }
}
