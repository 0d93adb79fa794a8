import ArgumentParser
import JSON

struct WorkspaceList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the workspaces that the credential may see, newest first.",
        discussion: HelpText.discussion(
            "The filters narrow the list; without them it is complete.",
            needs: HelpText.adminKey,
            examples: [
                "workspace list", "workspace list --state suspended", "workspace list --query shop --all --json",
            ]
        )
    )

    @Option(help: "Only those of this organization, by id.")
    var organization: String?

    @Option(help: "Only those in this state: creating, active, suspended, archived or deleting.")
    var state: String?

    @Option(help: "Only those with this text in the name or slug.")
    var query: String?

    @OptionGroup(title: "Pages")
    var pages: PageOptions

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func run() async throws {
        let listing = Listing(
            path: ["v1", "workspaces"],
            query: [("organization_id", organization), ("state", state), ("query", query)],
            columns: [
                Column("ID"), Column("SLUG", minimum: 8), Column("NAME", minimum: 12), Column("STATE"),
                Column("CREATED (UTC)"),
            ]
        ) { item in
            [
                Wording.text(item["id"]), Wording.text(item["slug"]), Wording.text(item["name"]),
                Wording.text(item["state"]), Wording.minute(item["created_at"]),
            ]
        }
        try await listing.show(pages, connection, output)
    }
}
