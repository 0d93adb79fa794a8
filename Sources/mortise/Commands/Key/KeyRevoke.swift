import ArgumentParser
import MortiseClient

/// The `mortise key revoke` command.
struct KeyRevoke: ObjectCommand, ConfirmedCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Revoke a key at once and for good.",
        discussion: HelpText.discussion(
            """
            When the command returns, every node refuses the key. Revoking it again changes nothing. Asks for confirmation.
            """,
            needs: HelpText.adminKey,
            examples: ["key revoke CI --workspace shop --reason leaked", "key revoke CI --workspace shop --yes"]
        )
    )

    @OptionGroup
    var target: KeyTarget

    @OptionGroup
    var cause: ReasonOptions

    @OptionGroup
    var options: ConfirmedOptions

    func question(_ names: Names) async throws -> String {
        "Revoke the key \(try await names.key(target).label)? It never works again."
    }

    func request(_ names: Names) async throws -> Request<Mortise.Key> {
        let key = try await names.key(target)
        return Request { client throws(MortiseError) in
            try await client.keys(key.collection).revoke(key.id, reason: cause.reason)
        }
    }

    func report(_ key: Mortise.Key) -> Report {
        .changed("Revoked", key, ["status", "revoked_at", "revocation_reason"])
    }
}
