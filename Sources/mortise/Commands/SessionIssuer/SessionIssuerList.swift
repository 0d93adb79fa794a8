import ArgumentParser
import JSON

struct SessionIssuerList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List session issuers, newest first.",
        discussion: HelpText.discussion(
            "The algorithms that are accepted, and when an issuer was added, are in --json.",
            needs: HelpText.operatorKey,
            examples: ["session-issuer list --organization acme", "session-issuer list --organization acme --json"]
        )
    )

    @OptionGroup(title: "Whose issuers")
    var place: SessionIssuerPlace

    @OptionGroup(title: "Pages")
    var pages: PageOptions

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func run() async throws {
        let listing = Listing(
            path: place.path(),
            query: [],
            columns: [
                Column("ID"), Column("ISSUER", minimum: 12), Column("KEYS", minimum: 12), Column("PARTIES", minimum: 8),
                Column("SEE", minimum: 6), Column("MANAGE", minimum: 6),
            ]
        ) { item in
            let isInline = item["has_inline_jwks"]?.bool ?? false
            return [
                Wording.text(item["id"]), Wording.text(item["issuer"]),
                isInline ? "stored" : Wording.text(item["jwks_url"]?.string.map(JSONValue.string) ?? item["jwks_file"]),
                Wording.text(item["authorized_parties"]), Wording.text(item["read_roles"]),
                Wording.text(item["manage_roles"]),
            ]
        }
        try await listing.show(pages, connection, output)
    }
}
