import ArgumentParser
import JSON
import MortiseClient

struct OrganizationUpdate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change the name, the slug or the token prefix of an organization.",
        discussion: HelpText.discussion(
            "Only what is named changes. Tokens depend on neither name nor slug, and those that were made keep their prefix.",
            needs: HelpText.operatorKey,
            examples: [
                "organization update acme --name \"Acme & Sons\"", "organization update acme --clear-token-prefix",
            ]
        )
    )

    @Argument(help: "The organization's id or slug.")
    var organization: String

    @Option(help: "The new name.")
    var name: String?

    @Option(help: "The new slug.")
    var slug: String?

    @Option(help: "What new tokens begin with: a letter and up to three letters or digits, in lower case.")
    var tokenPrefix: String?

    @Flag(help: "Let new tokens begin as they do without a prefix of one's own.")
    var clearTokenPrefix = false

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func validate() throws {
        guard name != nil || slug != nil || tokenPrefix != nil || clearTokenPrefix else {
            throw ValidationError("There is nothing to change.")
        }
        guard tokenPrefix == nil || !clearTokenPrefix else {
            throw ValidationError("--token-prefix and --clear-token-prefix exclude each other.")
        }
    }

    func run() async throws {
        var body = JSONObject()
        body["name"] = name.map(JSONValue.string)
        body["slug"] = slug.map(JSONValue.string)
        body["token_prefix"] = clearTokenPrefix ? .null : tokenPrefix.map(JSONValue.string)
        try await connection.show(.patch(["v1", "organizations", organization], body), output)
    }
}
