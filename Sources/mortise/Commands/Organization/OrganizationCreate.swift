import ArgumentParser
import JSON
import MortiseClient

struct OrganizationCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create an organization, its default workspace and its first admin key.",
        discussion: HelpText.discussion(
            "The workspace's database exists and is migrated when the command returns. The admin key's token is shown once.",
            needs: HelpText.operatorKey,
            examples: [
                "organization create \"Acme\" --token-out acme-admin.key",
                "organization create \"Acme\" --slug acme --token-prefix acme --show-token --quiet",
            ]
        )
    )

    @Argument(help: "The name, for people.")
    var name: String

    @Option(help: "The short name in URLs; made from the name when absent.")
    var slug: String?

    @Option(help: "What the organization's tokens begin with instead of Mortise's own prefixes, up to 4 characters.")
    var tokenPrefix: String?

    @OptionGroup(title: "The new token")
    var token: TokenOptions

    @OptionGroup(title: "Repeating")
    var idempotency: IdempotencyOptions

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func run() async throws {
        var body = JSONObject()
        body["name"] = .string(name)
        body["slug"] = slug.map(JSONValue.string)
        body["token_prefix"] = tokenPrefix.map(JSONValue.string)
        let request = Call.post(["v1", "organizations"], body, idempotencyKey: idempotency.key)
        try await connection.makeToken(request, token, output)
    }
}
