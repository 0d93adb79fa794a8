import ArgumentParser
import JSON
import MortiseClient

/// A command that presents a credential, sends a request and prints the answer.
///
/// The protocols that refine this one say what is printed. A command conforms to one of them and to nothing else, except
/// that it also conforms to `ConfirmedCommand` if its change needs consent.
protocol CallCommand: AsyncParsableCommand, Sendable {
    associatedtype Options: CallOptionGroup

    /// The options that commands of the same form share.
    var options: Options { get }

    /// Throws unless there can be consent: a flag, or a terminal to ask on. Does nothing by default.
    ///
    /// It runs before anything is read or sent.
    func checkConsent() throws

    /// Asks for consent before anything is changed. Does nothing by default.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if there is no consent.
    func confirm(_ names: Names) async throws
}

extension CallCommand {
    func checkConsent() throws {}

    func confirm(_ names: Names) async throws {}

    /// Returns the resolver of names, with the client of the server.
    func names() async throws -> Names { Names(try await options.call.connection.client()) }
}

/// A command whose change needs consent.
protocol ConfirmedCommand: CallCommand where Options == ConfirmedOptions {
    /// Returns the question, which names the object and the effect.
    func question(_ names: Names) async throws -> String
}

extension ConfirmedCommand {
    func checkConsent() throws { try options.confirmation.check() }

    func confirm(_ names: Names) async throws {
        // Without a question, the names need no look-up before the request does it.
        if options.confirmation.yes { return }
        try await options.confirmation.ask(question(names))
    }
}

/// The text for a person after a command has succeeded.
struct Report: Sendable {
    /// The sentence that says what was done.
    ///
    /// `nil` if the command only reads.
    var sentence: String?
    /// The members of the object to show, in their order.
    ///
    /// `nil` means all that have a value.
    var members: [String]?
    /// The member of the answer that has the object to show.
    ///
    /// `nil` if the answer is the object.
    var object: String?
    /// The next commands, each a sentence.
    var next: [String] = []
}

/// A command whose answer is one object.
protocol ObjectCommand: CallCommand {
    associatedtype Object: Sendable, Identifiable where Object.ID == String

    /// Returns the request. Reads files, asks for passwords and looks names up, but changes nothing.
    func request(_ names: Names) async throws -> Request<Object>

    /// Returns the text for a person. Shows the whole object by default.
    func report(_ object: Object) -> Report

    /// Returns the text for a person, if it depends on the object as it was before, or on the credential. Defaults to ``report(_:)``.
    func report(_ object: Object, after earlier: Object?, _ names: Names) -> Report

    /// Returns the object as it was before the request, if the text for a person depends on it. Returns `nil` by default.
    func earlier(_ names: Names) async throws -> Object?

    /// Looks up the names that the text for a person needs. Does nothing by default.
    func prepare(_ object: Object, _ names: Names) async
}

extension ObjectCommand {
    func report(_ object: Object) -> Report { Report() }

    func report(_ object: Object, after earlier: Object?, _ names: Names) -> Report { report(object) }

    func earlier(_ names: Names) async throws -> Object? { nil }

    func prepare(_ object: Object, _ names: Names) async {}

    func run() async throws { try await carryOut() }

    /// Sends the request and prints the object.
    func carryOut() async throws {
        try checkConsent()
        let names = try await names()
        let (earlier, answer) = try await names.explained {
            try await confirm(names)
            let request = try await self.request(names)
            return (try await self.earlier(names), try await names.answer(to: request))
        }
        if options.call.output.format == .text { await prepare(answer.value, names) }
        let report = self.report(answer.value, after: earlier, names)
        try options.call.output.print(answer.json, id: answer.value.id, report, actor: names.actor)
    }
}

/// A command whose request has no answer but success.
protocol ActionCommand: CallCommand {
    /// The sentence to print after success.
    var success: String { get }

    /// Returns the request. Looks names up, but changes nothing.
    func request(_ names: Names) async throws -> Request<Void>
}

extension ActionCommand {
    func run() async throws {
        try checkConsent()
        let names = try await names()
        try await names.explained {
            try await confirm(names)
            _ = try await names.answer(to: request(names))
        }
        try options.call.output.confirm(success)
    }
}
