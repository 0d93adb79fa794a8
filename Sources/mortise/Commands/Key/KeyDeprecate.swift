import ArgumentParser
import JSON
import MortiseClient

struct KeyDeprecate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deprecate",
        abstract: "Let a key work for a while yet, and then no more.",
        discussion: HelpText.discussion(
            """
            Gateways tell its users so (Deprecation and Sunset headers), and its events show who still uses it. At the end of the
            grace period it expires.
            """,
            needs: HelpText.adminKey,
            examples: ["key deprecate ID --workspace shop --grace 7d --reason \"replaced by CI2\""]
        )
    )

    @OptionGroup var key: KeyArgument

    @OptionGroup(title: "Whose key")
    var place: KeyPlace

    @Option(help: "Why, for the record.")
    var reason: String?

    @Option(help: "How long it goes on working, such as 0, 90s, 12h or 7d; 24h when absent, 30d at most.")
    var grace: LengthOfTime?

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func run() async throws {
        var body = JSONObject()
        body["reason"] = reason.map(JSONValue.string)
        body["grace_period_seconds"] = grace.map { .integer(Int64($0.seconds)) }
        try await connection.show(.post(place.path(key.id, "deprecate"), body), output)
    }
}
