import ArgumentParser
import MortiseClient

/// The `mortise organization update` command.
struct OrganizationUpdate: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change the name, the slug or the token prefix of an organization.",
        discussion: HelpText.discussion(
            """
            Options that are absent change nothing. Tokens depend on neither name nor slug. Existing tokens keep their prefix.
            """,
            needs: HelpText.operatorKey,
            examples: [
                "organization update acme --name \"Acme & Sons\"", "organization update acme --clear-token-prefix",
            ]
        )
    )

    @OptionGroup
    var target: OrganizationArgument

    @Option(help: "The new name.")
    var name: String?

    @Option(help: "The new slug.")
    var slug: String?

    @Option(
        help: "The prefix of new tokens: a lower-case letter and up to three lower-case letters or digits."
    )
    var tokenPrefix: String?

    @Flag(help: "Use Mortise's own prefixes for new tokens.")
    var clearTokenPrefix = false

    @OptionGroup
    var options: CallOptions

    func validate() throws {
        guard name != nil || slug != nil || tokenPrefix != nil || clearTokenPrefix else {
            throw ValidationError.nothingToChange
        }
        guard tokenPrefix == nil || !clearTokenPrefix else {
            throw ValidationError("--token-prefix and --clear-token-prefix exclude each other.")
        }
    }

    func report(_ organization: Mortise.Organization) -> Report {
        Report(sentence: "Changed the organization \(organization.slug).")
    }

    func request(_ names: Names) async throws -> Request<Mortise.Organization> {
        let organization = try await names.organization(target.organization)
        let prefix = Change(tokenPrefix, clears: clearTokenPrefix)
        return Request { client throws(MortiseError) in
            try await client.organizations.update(organization, name: name, slug: slug, tokenPrefix: prefix)
        }
    }
}
