import ArgumentParser
import MortiseClient

/// The `mortise organization create` command.
struct OrganizationCreate: NewTokenCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create an organization, its default workspace and its first admin key.",
        discussion: HelpText.discussion(
            """
            When the command returns, the database of the workspace exists and has the current schema. The token of the admin
            key is shown only once. Without --show-token or --token-out, nothing is created.
            """,
            needs: HelpText.operatorKey,
            examples: [
                "organization create \"Acme\" --token-out acme-admin.key",
                "organization create \"Acme\" --slug acme --token-prefix acme --show-token --quiet",
            ]
        )
    )

    @Argument(help: "The display name.")
    var name: String

    @Option(help: "The short name in URLs. (default: derived from the name)")
    var slug: String?

    @Option(
        help: """
            The prefix of the organization's tokens: a lower-case letter and up to three lower-case letters or digits. \
            (default: Mortise's own prefixes)
            """
    )
    var tokenPrefix: String?

    @OptionGroup
    var options: NewTokenOptions

    func request(_ names: Names, idempotencyKey: String) -> Request<NewToken> {
        Request { client throws(MortiseError) in
            let created = try await client.organizations.create(
                name: name,
                slug: slug,
                tokenPrefix: tokenPrefix,
                idempotencyKey: idempotencyKey
            )
            let slug = created.organization.slug
            let report = Report(
                sentence: "Created the organization \(slug), with its default workspace and an admin key.",
                members: ["id", "name", "token_prefix"],
                next: [
                    "Use the admin key as the credential of further commands: `mortise login --token-file FILE --profile \(slug) --url \(client.url.text)`."
                ]
            )
            return NewToken(id: created.organization.id, token: created.token, report: report)
        }
    }
}
