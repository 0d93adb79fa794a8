import ArgumentParser
import MortiseClient

/// A command that creates a token, which the server shows once.
protocol NewTokenCommand: CallCommand where Options == NewTokenOptions {
    /// Returns the request. Reads files and looks names up, but changes nothing.
    ///
    /// - Parameters:
    ///   - names: The resolver of names.
    ///   - idempotencyKey: The key that the request must carry.
    /// - Returns: The request.
    /// - Throws: `CommandFailure` of kind `usage` if a file cannot be read or an option is wrong.
    func request(_ names: Names, idempotencyKey: String) async throws -> Request<NewToken>
}

extension NewTokenCommand {
    func run() async throws {
        let key = options.create.idempotency.makeKey()
        let names = try await names()
        let request = try await names.explained { try await self.request(names, idempotencyKey: key) }
        // The file comes first: a token that cannot be stored must not be created. If the request fails, the file is removed.
        let file = try options.token.makeFile()
        let answer = try await names.explained { try await names.answer(to: request) }
        if let file {
            do throws(CommandFailure) {
                try file.finish(answer.value.token.reveal() + "\n")
            } catch {
                throw error.addingRepetition(of: request, idempotencyKey: key)
            }
        }
        do {
            try options.token.print(answer, options.call.output)
        } catch let error as CommandFailure where options.token.tokenOut == nil {
            // The server has created the token, and nobody has seen it.
            throw error.addingRepetition(of: request, idempotencyKey: key)
        }
    }
}
