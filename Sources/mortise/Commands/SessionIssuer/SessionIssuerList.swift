import ArgumentParser
import MortiseClient

/// The `mortise session-issuer list` command.
struct SessionIssuerList: ListCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the session issuers of an organization, newest first.",
        discussion: HelpText.discussion(
            "--json also shows the accepted algorithms and the creation time.",
            needs: HelpText.operatorKey,
            examples: ["session-issuer list --organization acme", "session-issuer list --organization acme --json"]
        )
    )

    @OptionGroup(title: "Organization")
    var place: OrganizationOptions

    @OptionGroup
    var options: ListOptions

    var columns: [TableColumn<Mortise.SessionIssuer>] {
        [
            TableColumn("ID") { $0.id },
            TableColumn("ISSUER", minimum: 12) { $0.issuer },
            TableColumn("KEYS", minimum: 12) {
                $0.hasInlineJWKS ? "stored" : DisplayText.optional($0.jwksURL ?? $0.jwksFile)
            },
            TableColumn("PARTIES", minimum: 8) { DisplayText.list($0.authorizedParties) },
            TableColumn("READ", minimum: 6) { DisplayText.list($0.readRoles) },
            TableColumn("MANAGE", minimum: 6) { DisplayText.list($0.manageRoles) },
        ]
    }

    func list(_ client: Mortise) -> PageSequence<Mortise.SessionIssuer> {
        client.sessionIssuers(of: place.organization).list(limit: options.pages.limit)
    }
}
