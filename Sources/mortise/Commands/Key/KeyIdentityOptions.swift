import ArgumentParser

/// The properties of a key that never change.
struct KeyIdentityOptions: ParsableArguments {
    @Option(help: "For service keys: service (for servers) or anon (publishable). (default: service)")
    var type: String?

    @Option(help: "live or test. (default: live)")
    var mode: String?

    @Option(help: "With --client: the owner of the key, such as user_42.")
    var subject: String?
}
