import JSON
import MortiseClient

extension ConnectionOptions {
    /// Makes one call and shows the object that it answers.
    func show(_ call: Call, _ output: OutputOptions) async throws {
        let answer = try await withClient { try await $0.send(call) }
        guard let answer else { throw CommandFailure(.unreachable, "The server's answer is empty.") }
        try output.show(answer)
    }

    /// Makes one call that answers nothing, and says what was done.
    func run(_ call: Call, _ output: OutputOptions, done sentence: String) async throws {
        _ = try await withClient { try await $0.send(call) }
        try output.confirm(sentence)
    }

    /// Makes one call that makes a token.
    ///
    /// - Parameters:
    ///   - call: what is asked.
    ///   - token: where the token goes.
    ///   - output: how the answer is shown.
    ///   - repetitionNote: what else a repetition has to say for its body to be the same.
    /// - Throws: `MortiseError`.
    func makeToken(
        _ call: Call,
        _ token: TokenOptions,
        _ output: OutputOptions,
        repetitionNote: String = ""
    ) async throws {
        try await withClient { client in
            let uncertainty = call.uncertainty(repetitionNote)
            try await token.deliver(output, uncertainty: uncertainty) {
                guard let answer = try await client.send(call, repetitionNote: repetitionNote) else {
                    throw CommandFailure(.unreachable, "The server's answer is empty.").adding(uncertainty)
                }
                return answer
            }
        }
    }
}
