import ArgumentParser

/// Where the token comes from that is asked about.
struct VerifySource: ParsableArguments {
    @Option(help: ArgumentHelp("A file that holds the token; - is standard input.", valueName: "path"))
    var from: String?

    @Option(help: ArgumentHelp("A file with many tokens, one a line; - is standard input.", valueName: "path"))
    var batch: String?

    func validate() throws {
        guard from == nil || batch == nil else { throw ValidationError("--from and --batch exclude each other.") }
    }

    /// Whether standard input is named.
    var takesStandardInput: Bool { batch == "-" || from == "-" }
}

/// How a verdict is shown.
struct VerifyOutput: ParsableArguments {
    @Flag(name: .long, help: "Print the server's JSON.")
    var json = false

    @Flag(name: .shortAndLong, help: "Print nothing; the exit code is the answer.")
    var quiet = false

    func validate() throws {
        guard !json || !quiet else { throw ValidationError("--json and --quiet exclude each other.") }
    }
}
