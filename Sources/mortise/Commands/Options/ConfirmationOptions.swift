import ArgumentParser

/// Consent to a change that cannot be undone.
struct ConfirmationOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Do not ask for confirmation. Required if standard input is not a terminal.")
    var yes = false

    /// Asks on the terminal, unless `--yes` was given.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if the answer is no, or if there is no terminal.
    func ask(_ question: String) async throws {
        if yes { return }
        guard Terminal.canAsk else {
            throw CommandFailure.usage(
                "This cannot be undone, and there is no terminal to ask for confirmation. Use --yes. Nothing was sent."
            )
        }
        guard try await Terminal.confirm(question) else { throw CommandFailure.usage("Canceled. Nothing was sent.") }
    }
}
