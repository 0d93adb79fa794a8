import ArgumentParser
import FoundationEssentials

/// The key that makes a repetition harmless.
struct IdempotencyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Repeat a command whose answer got lost: within 24 hours, the same command with the same key gives the same \
            answer, token included. Made up when absent, and named when a request fails halfway.
            """,
            valueName: "key"
        )
    )
    var idempotencyKey: String?

    func validate() throws {
        guard let key = idempotencyKey else { return }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ValidationError("--idempotency-key is 1 to 255 visible ASCII characters.")
        }
    }

    /// The key to send.
    var key: String { idempotencyKey ?? UUID().uuidString.lowercased() }
}
