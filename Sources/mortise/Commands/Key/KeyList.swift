import ArgumentParser
import JSON

struct KeyList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List keys, newest first.",
        discussion: HelpText.discussion(
            "The filters narrow the list. Tokens are never listed; a prefix is the first 16 characters of the newest one.",
            needs: HelpText.adminKey,
            examples: [
                "key list --workspace shop",
                "key list --workspace shop --status active --all --json",
                "key list --workspace shop --query mks_live_a1b2",
                "key list --operator",
            ]
        )
    )

    @OptionGroup(title: "Whose keys")
    var place: KeyPlace

    @Option(help: "Only those with this text in the name, the description or the prefix.")
    var query: String?

    @Option(help: "Only those that are active, disabled, deprecated, expired or revoked.")
    var status: String?

    @Option(help: "Only those of this type: service or anon.")
    var type: String?

    @Option(help: "With --client: only those of this subject.")
    var subject: String?

    @OptionGroup(title: "Pages")
    var pages: PageOptions

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func validate() throws {
        guard subject == nil || place.client else { throw ValidationError("--subject goes with --client.") }
    }

    func run() async throws {
        let (heading, member) =
            if place.isManagement { ("PERMISSIONS", "permissions") } else if place.client {
                ("SUBJECT", "subject")
            } else {
                ("TYPE", "type")
            }
        let listing = Listing(
            path: place.path(),
            query: [("query", query), ("status", status), ("type", type), ("subject", subject)],
            columns: [
                Column("ID"), Column("NAME", minimum: 12), Column("STATUS"), Column(heading, minimum: 6),
                Column("PREFIX"),
                Column("LAST USED (UTC)"), Column("EXPIRES (UTC)"),
            ]
        ) { item in
            [
                Wording.text(item["id"]), Wording.text(item["name"]), Wording.text(item["status"]),
                Wording.text(item[member]), Wording.text(item["prefix"]), Wording.minute(item["last_used_at"]),
                Wording.minute(item["expires_at"]),
            ]
        }
        try await listing.show(pages, connection, output)
    }
}
