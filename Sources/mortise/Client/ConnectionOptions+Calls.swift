import JSON

extension ConnectionOptions {
    /// Makes one call and shows the object that it answers.
    func show(_ request: APIRequest, _ output: OutputOptions) async throws {
        let answer = try await withClient { try await $0.send(request) }
        guard let answer else { throw CommandFailure(.unreachable, "The server's answer is empty.") }
        try output.show(answer)
    }

    /// Makes one call that answers nothing, and says what was done.
    func run(_ request: APIRequest, _ output: OutputOptions, done sentence: String) async throws {
        _ = try await withClient { try await $0.send(request) }
        try output.confirm(sentence)
    }

    /// Makes one call that makes a token.
    func makeToken(_ request: APIRequest, _ token: TokenOptions, _ output: OutputOptions) async throws {
        try await withClient { client in
            try await token.deliver(output, uncertainty: request.uncertainty) {
                guard let answer = try await client.send(request) else {
                    throw CommandFailure(.unreachable, "The server's answer is empty.").adding(request.uncertainty)
                }
                return answer
            }
        }
    }
}
