import ArgumentParser

/// The file for a token that a command creates.
struct TokenFileOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Write the new token to a new file that only you can read. An existing file is never overwritten.",
            valueName: "path"
        ),
        completion: .file()
    )
    var tokenOut: String?

    // Elsewhere, - is standard input. A file of that name would hold a token that nobody looks for there.
    func validate() throws {
        guard tokenOut != "-" else {
            throw ValidationError(
                """
                --token-out takes the path of a new file. For standard output, leave it out, or use --show-token if the command has \
                that option. Nothing was done.
                """
            )
        }
    }
}
