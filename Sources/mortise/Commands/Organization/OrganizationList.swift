import ArgumentParser
import JSON

struct OrganizationList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List organizations, newest first.",
        discussion: HelpText.discussion(
            "A table on a terminal; --json for scripts.",
            needs: HelpText.operatorKey,
            examples: ["organization list", "organization list --all --json"]
        )
    )

    @OptionGroup(title: "Pages")
    var pages: PageOptions

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func run() async throws {
        let listing = Listing(
            path: ["v1", "organizations"],
            query: [],
            columns: [Column("ID"), Column("NAME", minimum: 12), Column("SLUG", minimum: 8), Column("CREATED (UTC)")]
        ) { item in
            [
                Wording.text(item["id"]), Wording.text(item["name"]), Wording.text(item["slug"]),
                Wording.minute(item["created_at"]),
            ]
        }
        try await listing.show(pages, connection, output)
    }
}
