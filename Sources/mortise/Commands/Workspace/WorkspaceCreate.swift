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
                "workspace create Shop", "workspace create \"Web shop\" --slug shop --organization acme",
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

    func report(_ workspace: Mortise.Workspace, after earlier: Mortise.Workspace?, _ names: Names) -> Report {
        let name =
            owner.organization.map { $0.id == nil ? "\($0)/\(workspace.slug)" : workspace.slug } ?? workspace.slug
        return Report(
            sentence: "Created the workspace \(name).",
            members: ["id", "state"],
            // An operator key manages no keys of a workspace.
            next: names.isOperator
                ? [] : ["Create its first key: `mortise key create NAME --workspace \(name) --show-token`."]
        )
    }

    func request(_ names: Names) async throws -> Request<Mortise.Workspace> {
        let organization = try await names.organization(owner.organization)
        let key = options.idempotency.makeKey()
        return Request { client throws(MortiseError) in
            try await client.workspaces.create(
                name: name,
                organization: organization,
                slug: slug,
                cluster: cluster,
                idempotencyKey: key
            )
        }
    }
}
