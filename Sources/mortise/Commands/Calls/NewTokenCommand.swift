import ArgumentParser
import MortiseClient

/// A command that creates a token, which the server shows once.
protocol NewTokenCommand: CallCommand where Options == NewTokenOptions {
    /// Returns the request. Reads files, but sends nothing.
    ///
    /// - Parameter idempotencyKey: The key that the request must carry.
    /// - Returns: The request.
    /// - Throws: `CommandFailure` of kind `usage` if a file cannot be read or an option is wrong.
    func request(idempotencyKey: String) async throws -> Request<NewToken>
}

extension NewTokenCommand {
    func run() async throws {
        let key = options.create.idempotency.makeKey()
        let request = try await request(idempotencyKey: key)
        let client = try await options.call.connection.client()
        // The file comes first: a token that cannot be stored must not be created. If the request fails, the file is removed.
        let file = try options.token.makeFile()
        let answer = try await client.answer(to: request)
        if let file {
            do throws(CommandFailure) {
                try file.finish(answer.value.token.reveal() + "\n")
            } catch {
                throw error.addingRepetition(of: request, idempotencyKey: key)
            }
        }
        try options.token.print(answer, options.call.output)
    }
}
