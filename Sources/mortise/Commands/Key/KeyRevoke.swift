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
            examples: ["key revoke ID --workspace shop --reason leaked", "key revoke ID --workspace shop --yes"]
        )
    )

    @OptionGroup
    var target: KeyTarget

    @OptionGroup
    var cause: ReasonOptions

    @OptionGroup
    var options: ConfirmedOptions

    var question: String { "Revoke the key \(target.id)? It never works again." }

    func request() -> Request<Mortise.Key> {
        Request { client throws(MortiseError) in
            try await target.keys(client).revoke(target.id, reason: cause.reason)
        }
    }
}
