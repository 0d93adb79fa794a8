import ArgumentParser
import MortiseClient

/// The `mortise key deprecate` command.
struct KeyDeprecate: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "deprecate",
        abstract: "Deprecate a key: it expires after a grace period.",
        discussion: HelpText.discussion(
            """
            Gateways tell the users of the key (Deprecation and Sunset headers), and its events show who still uses it. The key
            expires at the end of the grace period. Another deprecation can shorten the grace period, but not extend it.
            """,
            needs: HelpText.adminKey,
            examples: ["key deprecate CI --workspace shop --grace 7d --reason \"replaced by CI2\""]
        )
    )

    @OptionGroup
    var target: KeyTarget

    @OptionGroup
    var cause: ReasonOptions

    @OptionGroup
    var grace: GraceOptions

    @OptionGroup
    var options: CallOptions

    func request(_ names: Names) async throws -> Request<Mortise.Key> {
        let key = try await names.key(target)
        return Request { client throws(MortiseError) in
            try await client.keys(key.collection).deprecate(key.id, reason: cause.reason, gracePeriod: grace.period)
        }
    }

    func report(_ key: Mortise.Key) -> Report { .changed("Deprecated", key, ["status", "grace_period_ends_at"]) }
}
