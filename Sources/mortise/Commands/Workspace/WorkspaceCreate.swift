import ArgumentParser
import MortiseClient

/// The `mortise workspace create` command.
struct WorkspaceCreate: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create a workspace and its database.",
        discussion: HelpText.discussion(
            "When the command returns, the database exists and has the current schema.",
            needs: HelpText.adminKey,
            examples: [
                "workspace create \"Shop\" --organization 0198c0de-0000-7000-8000-000000000001 --slug shop"
            ]
        )
    )

    @Argument(help: "The display name.")
    var name: String

    @OptionGroup
    var owner: OrganizationOptions

    @Option(help: "The short name in URLs, unique in the organization. (default: derived from the name)")
    var slug: String?

    @Option(help: "The cluster (PostgreSQL server) of the database. (default: the server chooses)")
    var cluster: String?

    @OptionGroup
    var options: CreateOptions

    func request() -> Request<Mortise.Workspace> {
        let key = options.idempotency.makeKey()
        return Request { client throws(MortiseError) in
            try await client.workspaces.create(
                name: name,
                organization: owner.organization,
                slug: slug,
                cluster: cluster,
                idempotencyKey: key
            )
        }
    }
}
