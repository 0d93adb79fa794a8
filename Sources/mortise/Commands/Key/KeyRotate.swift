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
                "key rotate ID --workspace shop --token-out ci.key",
                "key rotate ID --workspace shop --grace 0 --show-token --quiet",
            ]
        )
    )

    @OptionGroup
    var target: KeyTarget

    @OptionGroup
    var grace: GraceOptions

    @OptionGroup
    var options: NewTokenOptions

    func request(idempotencyKey: String) -> Request<NewToken> {
        Request { client throws(MortiseError) in
            let issued = try await target.keys(client)
                .rotate(target.id, gracePeriod: grace.period, idempotencyKey: idempotencyKey)
            return NewToken(id: issued.key.id, token: issued.token)
        }
    }
}
