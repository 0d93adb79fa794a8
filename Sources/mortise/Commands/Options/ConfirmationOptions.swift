import ArgumentParser

/// The question before something that cannot be taken back.
struct Confirmation: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Do not ask. Needed where nobody can be asked.")
    var yes = false

    /// Asks unless `--yes` was given.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if the answer is no, or nobody is there to ask.
    func ask(_ question: String) async throws {
        if yes { return }
        guard Terminal.canAsk else {
            throw CommandFailure.usage(
                "This cannot be taken back, and there is no terminal to ask on: use --yes. Nothing was sent."
            )
        }
        guard try await Terminal.confirm(question) else { throw CommandFailure.usage("Nothing was done.") }
    }
}
