import ArgumentParser
import MortiseClient

/// The `mortise session-issuer add` command.
struct SessionIssuerAdd: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Trust a session issuer.",
        discussion: HelpText.discussion(
            """
            Users of the issuer can then list, create and revoke their own client keys in this organization. A user with one of
            the roles below can do the same with the keys of the application's organization that is active in the session. The
            server reads keys from a URL again every hour, and when a session names an unknown key. The claim sub of a session
            must be a user id of Clerk's form: user_ and 27 ASCII letters, digits or underscores. Other sessions are refused.

            Name the origins of your pages with --authorized-party. Without it, the server accepts sessions that the issuer
            made for another site.
            """,
            needs: HelpText.operatorKey,
            examples: [
                "session-issuer add https://clerk.example.com --organization acme "
                    + "--jwks-url https://clerk.example.com/.well-known/jwks.json "
                    + "--authorized-party https://app.example.com --read-role member",
                "session-issuer add https://sso.example.com --organization acme --jwks keys.json --algorithm ES256",
            ]
        )
    )

    @Argument(help: "The issuer, exactly as the claim iss of its tokens has it.")
    var issuer: String

    @OptionGroup(title: "Organization")
    var place: OrganizationOptions

    @OptionGroup(title: "Public keys (exactly one)")
    var keys: KeySetOptions

    @Option(
        help: ArgumentHelp(
            "A signature algorithm to accept, such as ES256 or EdDSA. Repeatable. (default: RS256)",
            valueName: "name"
        )
    )
    var algorithm: [String] = []

    @Option(
        help: ArgumentHelp(
            "An accepted value of the claim azp, usually the origin of a page. Repeatable. (default: azp is not checked)",
            valueName: "origin"
        )
    )
    var authorizedParty: [String] = []

    @Option(
        help: ArgumentHelp(
            "An accepted value of the claim aud. Repeatable. (default: a token with the claim is refused)",
            valueName: "audience"
        )
    )
    var audience: [String] = []

    @Option(
        help: ArgumentHelp(
            "A role that can list the keys of its organization. Repeatable. (default: none)",
            valueName: "role"
        )
    )
    var readRole: [String] = []

    @Option(
        help: ArgumentHelp(
            "A role that can list, create and revoke the keys of its organization. Repeatable. (default: admin)",
            valueName: "role"
        )
    )
    var manageRole: [String] = []

    @Flag(help: "Let no role create and revoke the keys of its organization.")
    var noManageRole = false

    @OptionGroup
    var options: CreateOptions

    func validate() throws {
        guard manageRole.isEmpty || !noManageRole else {
            throw ValidationError("Use --manage-role or --no-manage-role, not both.")
        }
        try options.call.connection.check(keys.jwks, of: "--jwks")
    }

    func report(_ issuer: Mortise.SessionIssuer) -> Report {
        Report(sentence: "Sessions of \(issuer.issuer) are trusted from now on.")
    }

    func request(_ names: Names) async throws -> Request<Mortise.SessionIssuer> {
        let source = try await keys.source()
        let organization = try await names.organization(place.organization)
        let key = options.idempotency.makeKey()
        return Request { client throws(MortiseError) in
            try await client.sessionIssuers(of: organization)
                .add(
                    issuer: issuer,
                    keys: source,
                    algorithms: algorithm.isEmpty ? nil : algorithm,
                    authorizedParties: authorizedParty,
                    audiences: audience,
                    readRoles: readRole,
                    manageRoles: manageRole.isEmpty && !noManageRole ? nil : manageRole,
                    idempotencyKey: key
                )
        }
    }
}
