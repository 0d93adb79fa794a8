import ArgumentParser
import JSON
import MortiseClient

/// The destination of a new token, which is shown once.
struct TokenOptions: ParsableArguments {
    @Flag(help: "Print the new token on standard output.")
    var showToken = false

    @OptionGroup
    var file: TokenFileOption

    /// The path of the file for the token.
    var tokenOut: String? { file.tokenOut }

    func validate() throws {
        guard showToken || tokenOut != nil else {
            throw ValidationError(
                "The token is shown only once. Use --show-token or --token-out PATH. Nothing was sent."
            )
        }
    }

    /// Creates the file for the token, if one was named.
    func makeFile() throws(CommandFailure) -> SecretFile? {
        guard let tokenOut else { return nil }
        return try SecretFile(creating: tokenOut)
    }

    /// Prints the answer, and the token if `--show-token` was given.
    func print(_ answer: ServerAnswer<NewToken>, _ output: OutputOptions) throws {
        let token = answer.value.token.reveal()
        switch output.format {
        case .text:
            let report = answer.value.report
            if let sentence = report.sentence { try Output.line(sentence.printable) }
            for line in sections(answer.json, output, report) { try Output.line(line) }
            if showToken { try Output.line("\nToken (shown only once): \(token)") }
            if let tokenOut { try Output.line("\nThe token is in \(tokenOut.printable).") }
            for sentence in report.next {
                try Output.line(sentence.replacing("FILE", with: tokenOut ?? "FILE").printable)
            }
        case .json:
            var object = answer.json.object ?? JSONObject()
            if !showToken { object["token"] = nil }
            try Output.line(JSONValue.object(object).outputText)
        case .quiet: try Output.line(showToken ? token : answer.value.id.printable)
        }
    }

    /// Returns the object that a person asked for as lines.
    ///
    /// A wide output has all objects of the answer.
    private func sections(_ answer: JSONValue, _ output: OutputOptions, _ report: Report) -> [String] {
        let objects = (answer.object?.members ?? []).filter { $0.value.object != nil }
        guard output.wide else { return objects.prefix(1).flatMap { output.lines($0.value, report) } }
        let sections = objects.map { member -> [String] in
            let heading = member.name.replacing("_", with: " ").uppercased().printable
            return (objects.count > 1 ? [heading] : []) + output.lines(member.value, report)
        }
        return Array(sections.joined(separator: [""]))
    }
}

/// A token that a command has created.
struct NewToken: Sendable {
    /// The id of the key or organization that the command created.
    let id: String
    /// The token.
    let token: SecretToken
    /// The text for a person.
    ///
    /// `FILE` in it stands for the file of the token.
    let report: Report
}
