import ArgumentParser
import FoundationEssentials

/// The key that makes it safe to repeat a request.
struct IdempotencyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            The Idempotency-Key of a command whose answer was lost. Within 24 hours, the same command with the same key \
            returns the same answer, token included. (default: a new key, which the error message of a lost answer shows)
            """,
            valueName: "key"
        )
    )
    var idempotencyKey: String?

    func validate() throws {
        guard let key = idempotencyKey else { return }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ValidationError("--idempotency-key must be 1 to 255 visible ASCII characters.")
        }
    }

    /// Returns the key that was given, or a new one.
    ///
    /// Call it once for each request.
    func makeKey() -> String { idempotencyKey ?? UUID().uuidString.lowercased() }
}
