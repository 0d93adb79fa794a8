import ArgumentParser
import JSON

struct MemberList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List members, newest first.",
        discussion: HelpText.discussion(
            "Somebody with roles in several workspaces is listed once for each.",
            needs: MemberCommand.needs,
            examples: ["member list --organization acme", "member list --organization acme --role owner --json"]
        )
    )

    @OptionGroup(title: "Whose members")
    var place: MemberPlace

    @Option(help: ArgumentHelp("Only those of this workspace, by its id.", valueName: "id"))
    var workspace: String?

    @Option(help: "Only those with this role.")
    var role: MemberRole?

    @Option(help: "Only those with this text in the address or the name.")
    var query: String?

    @OptionGroup(title: "Pages")
    var pages: PageOptions

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func run() async throws {
        let listing = Listing(
            path: place.path(),
            query: [("workspace_id", workspace), ("role", role?.rawValue), ("query", query)],
            columns: [
                Column("ID"), Column("E-MAIL", minimum: 12), Column("NAME", minimum: 8), Column("ROLE"),
                Column("WORKSPACE"), Column("SINCE (UTC)"),
            ]
        ) { item in
            [
                Wording.text(item["id"]), Wording.text(item["user"]?["email"]), Wording.text(item["user"]?["name"]),
                Wording.text(item["role"]), Wording.text(item["workspace_id"]), Wording.minute(item["created_at"]),
            ]
        }
        try await listing.show(pages, connection, output)
    }
}
