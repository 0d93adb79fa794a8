import ArgumentParser
import JSON
import MortiseClient

struct SessionIssuerAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Believe an issuer's sessions.",
        discussion: HelpText.discussion(
            """
            Its users then see, make and revoke client keys of their own in this organization; with a role that is named here, also
            those of the organization of the application that is active in their session. From a URL, keys are read again every
            hour, and when a session names an unknown one.

            Name your pages with --authorized-party: without any, a session counts that was made for another site of the same
            issuer.
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

    @Argument(help: "What its tokens say in the claim iss, to the letter.")
    var issuer: String

    @OptionGroup(title: "Where")
    var place: SessionIssuerPlace

    @OptionGroup(title: "Its public keys, from one place")
    var keys: KeySetOptions

    @Option(
        help: ArgumentHelp(
            "A signature algorithm that is accepted, such as ES256 or EdDSA; RS256 without any. Repeat for more.",
            valueName: "name"
        )
    )
    var algorithm: [String] = []

    @Option(
        help: ArgumentHelp(
            "What the claim azp may be, as a rule the origin of a page; it is not looked at without any. Repeat for more.",
            valueName: "origin"
        )
    )
    var authorizedParty: [String] = []

    @Option(
        help: ArgumentHelp("A role that sees the keys of its organization. Repeat for more.", valueName: "role")
    )
    var readRole: [String] = []

    @Option(
        help: ArgumentHelp(
            "A role that also makes and revokes them; admin without any. Repeat for more.",
            valueName: "role"
        )
    )
    var manageRole: [String] = []

    @Flag(help: "No role makes and revokes the keys of its organization.")
    var noManageRole = false

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func validate() throws {
        guard manageRole.isEmpty || !noManageRole else {
            throw ValidationError("--manage-role and --no-manage-role exclude each other.")
        }
        guard !(keys.takesStandardInput && connection.takesStandardInput) else {
            throw ValidationError("--jwks and --token-file cannot both be standard input.")
        }
    }

    func run() async throws {
        var body = JSONObject()
        body["issuer"] = .string(issuer)
        let source = try await keys.member()
        body[source.name] = source.value
        body["algorithms"] = array(algorithm)
        body["authorized_parties"] = array(authorizedParty)
        body["read_roles"] = array(readRole)
        body["manage_roles"] = noManageRole ? .array([]) : array(manageRole)
        try await connection.show(.post(place.path(), body), output)
    }

    private func array(_ texts: [String]) -> JSONValue? {
        texts.isEmpty ? nil : .array(texts.map(JSONValue.string))
    }
}
