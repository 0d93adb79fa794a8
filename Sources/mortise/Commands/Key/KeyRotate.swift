import ArgumentParser
import MortiseClient

/// The `mortise key rotate` command.
struct KeyRotate: NewTokenCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Give a key a new token and keep its id and settings.",
        discussion: HelpText.discussion(
            """
            The old token works until the end of the grace period. Another rotation within it ends the oldest token at once.
            Without --show-token or --token-out, nothing is done.
            """,
            needs: HelpText.adminKey,
            examples: [
                "key rotate CI --workspace shop --token-out ci.key",
                "key rotate CI --workspace shop --grace 0 --show-token --quiet",
            ]
        )
    )

    @OptionGroup
    var target: KeyTarget

    @OptionGroup
    var grace: GraceOptions

    @OptionGroup
    var options: NewTokenOptions

    func request(_ names: Names, idempotencyKey: String) async throws -> Request<NewToken> {
        let key = try await names.key(target)
        return Request { client throws(MortiseError) in
            let issued = try await client.keys(key.collection)
                .rotate(key.id, gracePeriod: grace.period, idempotencyKey: idempotencyKey)
            return NewToken(id: issued.key.id, token: issued.token, report: Self.report(issued.key))
        }
    }

    private static func report(_ key: Mortise.Key) -> Report {
        var report = Report.changed("Rotated", key, ["prefix", "expires_at"])
        let end = key.secrets.dropFirst().compactMap(\.endsAt).max()
        report.next = end.map { ["The old token works until \(DisplayText.time($0))."] } ?? ["The old token ended."]
        return report
    }
}
