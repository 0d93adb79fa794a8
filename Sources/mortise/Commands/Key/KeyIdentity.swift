import ArgumentParser

/// What is fixed when a key is made.
struct KeyIdentity: ParsableArguments {
    @Option(help: "service (a server's, the default) or anon (publishable).")
    var type: String?

    @Option(help: "live (the default) or test.")
    var mode: String?

    @Option(help: "With --client: whose key it is, such as user_42.")
    var subject: String?
}
