import ArgumentParser
import MortiseClient

/// A command that presents a credential, sends a request and prints the answer.
///
/// The protocols that refine this one say what is printed. A command conforms to one of them and to nothing else, except
/// that it also conforms to `ConfirmedCommand` if its change cannot be undone.
protocol CallCommand: AsyncParsableCommand, Sendable {
    associatedtype Options: CallOptionGroup

    /// The options that commands of the same form share.
    var options: Options { get }

    /// Asks for consent before anything is read or sent. Does nothing by default.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if there is no consent.
    func confirm() async throws
}

extension CallCommand {
    func confirm() async throws {}
}

/// A command whose change cannot be undone, which asks for consent.
protocol ConfirmedCommand: CallCommand where Options == ConfirmedOptions {
    /// The question, which names the object and the effect.
    var question: String { get }
}

extension ConfirmedCommand {
    func confirm() async throws { try await options.confirmation.ask(question) }
}

/// A command whose answer is one object.
protocol ObjectCommand: CallCommand {
    associatedtype Object: Sendable, Identifiable where Object.ID == String

    /// Returns the request. Reads files and asks for passwords, but sends nothing.
    func request() async throws -> Request<Object>
}

extension ObjectCommand {
    func run() async throws {
        try await confirm()
        let request = try await request()
        let answer = try await options.call.connection.client().answer(to: request)
        try options.call.output.print(answer.json, id: answer.value.id)
    }
}

/// A command whose request has no answer but success.
protocol ActionCommand: CallCommand {
    /// The sentence to print after success.
    var success: String { get }

    /// Returns the request.
    func request() -> Request<Void>
}

extension ActionCommand {
    func run() async throws {
        try await confirm()
        _ = try await options.call.connection.client().answer(to: request())
        try options.call.output.confirm(success)
    }
}
