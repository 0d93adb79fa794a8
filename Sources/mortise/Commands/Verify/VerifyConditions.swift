import ArgumentParser
import MortiseClient

/// The conditions that a token must meet, beyond being valid.
struct VerifyConditions: ParsableArguments {
    @Option(help: "A scope that the key must have, such as read:orders. Repeatable. (default: none)")
    var scope: [String] = []

    @Option(help: "The address of the client, for keys that work from some addresses only. (default: none)")
    var address: String?

    @Option(help: "The mode that the key must have: live or test. (default: any)")
    var mode: String?

    @Option(help: "The namespace that the key must work in. (default: any)")
    var namespace: String?

    /// Returns the verification of a token under these conditions.
    func verification(of token: SecretToken) -> Mortise.Verification {
        Mortise.Verification(
            token,
            scopes: scope,
            address: address,
            mode: mode.map(Mortise.Key.Mode.init),
            namespace: namespace
        )
    }
}
