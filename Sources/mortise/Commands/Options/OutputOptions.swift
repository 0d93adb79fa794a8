import ArgumentParser
import JSON

/// How the answer is shown.
struct OutputOptions: ParsableArguments {
    @Flag(name: .long, help: "Print the server's JSON instead of a table.")
    var json = false

    @Flag(name: .shortAndLong, help: "Print ids only, one a line; with --show-token the token only.")
    var quiet = false

    func validate() throws {
        if json && quiet { throw ValidationError("--json and --quiet exclude each other.") }
    }

    /// Shows one object of the API.
    func show(_ value: JSONValue) throws {
        if json {
            try Output.line(value.text)
        } else if quiet {
            try Output.line(Wording.text(value["id"]).printable)
        } else {
            for line in Wording.lines(value.object ?? JSONObject()) { try Output.line(line) }
        }
    }

    /// Says that something without an answer of its own was done.
    func confirm(_ sentence: String) throws {
        if !json && !quiet { try Output.line(sentence.printable) }
    }
}
