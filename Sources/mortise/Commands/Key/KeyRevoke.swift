import ArgumentParser
import MortiseClient

/// The `mortise key revoke` command.
struct KeyRevoke: KeysCommand, ConfirmedCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Revoke keys at once and for good.",
        discussion: HelpText.discussion(
            """
            When the command returns, every node refuses the keys. Revoking a key again changes nothing. Up to 100 keys are revoked
            together: all of them, or none. Asks for confirmation.
            """,
            needs: HelpText.adminKey,
            examples: [
                "key revoke CI --workspace shop --reason leaked", "key revoke CI --workspace shop --yes",
                "key revoke CI staging nightly --workspace shop",
            ]
        )
    )

    @OptionGroup
    var targets: KeyTargets

    @OptionGroup
    var cause: ReasonOptions

    @OptionGroup
    var options: ConfirmedOptions

    var verb: String { "Revoked" }

    func question(_ names: Names) async throws -> String {
        let labels = try await names.keys(targets).map(\.label)
        guard labels.count > 1 else { return "Revoke the key \(labels.joined())? It never works again." }
        return "Revoke these \(labels.count) keys: \(labels.joined(separator: ", "))? They never work again."
    }

    func request(_ key: NamedKey) -> Request<Mortise.Key> {
        Request { client throws(MortiseError) in
            try await client.keys(key.collection).revoke(key.id, reason: cause.reason)
        }
    }

    func request(_ ids: [String], _ collection: KeyCollection) -> Request<[Mortise.Key]> {
        Request { client throws(MortiseError) in
            try await client.keys(collection).revoke(ids, reason: cause.reason)
        }
    }

    func report(_ key: Mortise.Key) -> Report {
        .changed("Revoked", key, ["status", "revoked_at", "revocation_reason"])
    }
}
