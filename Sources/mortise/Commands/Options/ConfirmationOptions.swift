import ArgumentParser

/// Consent to a change.
struct ConfirmationOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Do not ask for confirmation. Required if standard input is not a terminal.")
    var yes = false

    /// Throws if `--yes` was not given and there is no terminal to ask on.
    func check() throws(CommandFailure) {
        guard yes || Terminal.canAsk else {
            throw .usage(
                "This needs confirmation, and there is no terminal to ask on. Use --yes. Nothing was sent."
            )
        }
    }

    /// Asks on the terminal, unless `--yes` was given.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if the answer is no.
    func ask(_ question: String) async throws {
        if yes { return }
        guard try await Terminal.confirm(question) else { throw CommandFailure.usage("Canceled. Nothing was changed.") }
    }
}
