import ArgumentParser
import JSON
import MortiseClient

struct WorkspaceCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create a workspace with its database.",
        discussion: HelpText.discussion(
            "The database exists and is migrated when the command returns.",
            needs: HelpText.adminKey,
            examples: [
                "workspace create \"Shop\" --organization 0198c0de-0000-7000-8000-000000000001 --slug shop"
            ]
        )
    )

    @Argument(help: "The name, for people.")
    var name: String

    @Option(help: "The id of the organization that owns it.")
    var organization: String

    @Option(help: "The short name in URLs, unique in the organization; made from the name when absent.")
    var slug: String?

    @Option(help: "The PostgreSQL server that it is placed on; chosen by the server when absent.")
    var cluster: String?

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
        body["cluster"] = cluster.map(JSONValue.string)
        let path = ["v1", "organizations", organization, "workspaces"]
        try await connection.show(.post(path, body, idempotencyKey: idempotency.key), output)
    }
}
