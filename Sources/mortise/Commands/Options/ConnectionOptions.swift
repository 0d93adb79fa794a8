import ArgumentParser
import MortiseClient

/// The server that a command calls, and the credential that it presents.
struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The URL of the server. Environment: MORTISE_URL. (default: \(ServerURL.standard))",
            valueName: "url"
        )
    )
    var url: String?

    @Option(
        help: ArgumentHelp(
            """
            A file that holds the credential; - is standard input. Without it, the command uses MORTISE_TOKEN, or asks \
            on the terminal. No option takes the token itself, because ps would show it.
            """,
            valueName: "path"
        )
    )
    var tokenFile: InputFile?

    @OptionGroup(title: "Connection")
    var time: TimeoutOptions

    @Flag(help: "Send the credential over plain HTTP to another machine. Everyone on the path can read it.")
    var plainHTTP = false

    /// Finds the credential and makes a client that presents it.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if there is no credential, or if it would cross a network in plain
    ///   text without `--plain-http`.
    func client() async throws -> ServerClient {
        let server = try ServerURL.find(option: url)
        guard server.isEncrypted || server.isLocal || plainHTTP else {
            throw CommandFailure.usage(
                "\(server.text) is not encrypted. The credential would cross the network in plain text.",
                details: ["Use https://, or add --plain-http if you own the network between."]
            )
        }
        let credential = try await CommandCredential.find(file: tokenFile)
        return ServerClient(server, credential: credential, timeout: time.limit)
    }

    /// Throws if another option and `--token-file` both read standard input.
    func check(_ file: InputFile?, of option: String) throws {
        guard let file, file.isStandardInput, let tokenFile, tokenFile.isStandardInput else { return }
        throw ValidationError("\(option) and --token-file cannot both read standard input.")
    }
}
