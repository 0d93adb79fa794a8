import ArgumentParser
import JSON

/// The form of a command's output.
enum OutputFormat {
    /// Lines and tables for people.
    case text
    /// The server's JSON.
    case json
    /// The least that a script needs.
    case quiet

    init(json: Bool, quiet: Bool) {
        self = json ? .json : quiet ? .quiet : .text
    }

    /// Throws if two forms are asked for at once.
    static func check(json: Bool, quiet: Bool, wide: Bool = false) throws {
        guard !json || !quiet else { throw ValidationError("Use --json or --quiet, not both.") }
        guard !wide || !json else { throw ValidationError("Use --wide or --json, not both.") }
        guard !wide || !quiet else { throw ValidationError("Use --wide or --quiet, not both.") }
    }
}

/// The output of a command that prints objects of the API.
struct OutputOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Print everything as text: ids, all properties, and times in UTC.")
    var wide = false

    @Flag(name: .long, help: "Print the server's JSON instead of text.")
    var json = false

    @Flag(name: .shortAndLong, help: "Print only ids, one per line. With --show-token, print only the token.")
    var quiet = false

    func validate() throws { try OutputFormat.check(json: json, quiet: quiet, wide: wide) }

    /// The form of the output.
    var format: OutputFormat { OutputFormat(json: json, quiet: quiet) }

    /// Prints one object.
    ///
    /// - Parameters:
    ///   - object: The object as the server sent it.
    ///   - id: The id of the object.
    ///   - report: The text for a person.
    ///   - actor: Returns the name of an actor.
    /// - Throws: `CommandFailure` of kind `output` if standard output cannot be written.
    func print(
        _ object: JSONValue,
        id: String,
        _ report: Report,
        actor: @escaping @Sendable (String) -> String = { $0 }
    ) throws {
        switch format {
        case .text:
            if let sentence = report.sentence { try Output.line(sentence.printable) }
            let shown = report.object.flatMap { object[$0] } ?? object
            for line in lines(shown, report, actor: actor) { try Output.line(line) }
            for sentence in report.next { try Output.line(sentence.printable) }
        case .json: try Output.line(object.outputText)
        case .quiet: try Output.line(id.printable)
        }
    }

    /// Returns the members of an object as lines.
    func lines(_ object: JSONValue, _ report: Report, actor: @escaping @Sendable (String) -> String = { $0 })
        -> [String]
    {
        let text = ObjectText(object, actor: actor)
        return wide ? text.everything : text.essentials(report.members)
    }

    /// Prints the success of a request that has no answer.
    ///
    /// Prints nothing with `--json` and `--quiet`.
    func confirm(_ sentence: String) throws {
        if case .text = format { try Output.line(sentence.printable) }
    }
}
