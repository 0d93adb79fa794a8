import ArgumentParser

/// The tokens to verify.
struct VerifySource: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A file with the token; - is standard input. (default: standard input, or a prompt on a terminal)",
            valueName: "path"
        )
    )
    var from: InputFile?

    @Option(help: ArgumentHelp("A file with many tokens, one per line; - is standard input.", valueName: "path"))
    var batch: InputFile?

    func validate() throws {
        guard from == nil || batch == nil else { throw ValidationError("Use --from or --batch, not both.") }
    }
}

/// The output of `mortise verify`.
struct VerifyOutput: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Print everything as text: ids, all properties, and times in UTC.")
    var wide = false

    @Flag(name: .long, help: "Print the server's JSON instead of text.")
    var json = false

    @Flag(name: .shortAndLong, help: "Print nothing. The exit code tells the verdict.")
    var quiet = false

    func validate() throws { try OutputFormat.check(json: json, quiet: quiet, wide: wide) }

    /// The form of the output.
    var format: OutputFormat { OutputFormat(json: json, quiet: quiet) }
}
