import ArgumentParser
import JSON
import MortiseClient

struct KeyRotate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Give a key a new token; its id and settings stay.",
        discussion: HelpText.discussion(
            """
            The old token goes on working for the grace period. Rotating again within it ends the oldest token at once. Without
            --show-token or --token-out nothing is done.
            """,
            needs: HelpText.adminKey,
            examples: [
                "key rotate ID --workspace shop --token-out ci.key",
                "key rotate ID --workspace shop --grace 0 --show-token --quiet",
            ]
        )
    )

    @OptionGroup var key: KeyArgument

    @OptionGroup(title: "Whose key")
    var place: KeyPlace

    @Option(help: "How long the old token goes on working, such as 0, 90s, 12h or 7d; 24h when absent, 30d at most.")
    var grace: LengthOfTime?

    @OptionGroup(title: "The new token")
    var token: TokenOptions

    @OptionGroup(title: "Repeating")
    var idempotency: IdempotencyOptions

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func run() async throws {
        var body = JSONObject()
        body["grace_period_seconds"] = grace.map { .integer(Int64($0.seconds)) }
        let request = Call.post(place.path(key.id, "rotate"), body, idempotencyKey: idempotency.key)
        try await connection.makeToken(request, token, output)
    }
}
