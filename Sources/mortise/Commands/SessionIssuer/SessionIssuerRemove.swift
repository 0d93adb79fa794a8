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
                "session-issuer remove https://clerk.example.com --organization acme",
                "session-issuer remove https://clerk.example.com --organization acme --yes",
            ]
        )
    )

    @Argument(help: ArgumentHelp("The issuer, as the claim iss of its tokens has it, or its id.", valueName: "issuer"))
    var issuer: String

    @OptionGroup(title: "Organization")
    var place: OrganizationOptions

    @OptionGroup
    var options: ConfirmedOptions

    func question(_ names: Names) -> String {
        "Remove the session issuer \(issuer)? The sessions of its users are refused."
    }

    var success: String { "Removed the session issuer \(issuer)." }

    func request(_ names: Names) async throws -> Request<Void> {
        let issuer = try await names.sessionIssuer(issuer, place)
        return Request { client throws(MortiseError) in
            try await client.sessionIssuers(of: issuer.organization).remove(issuer.id)
        }
    }
}
