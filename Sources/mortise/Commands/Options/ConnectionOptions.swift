import ArgumentParser
import MortiseClient

/// The server that a command calls, and the credential that it presents.
struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The URL of the server. Environment: MORTISE_URL. (default: the profile's, or \(ServerURL.standard))",
            valueName: "url"
        )
    )
    var url: String?

    @Option(
        help: ArgumentHelp(
            """
            A file that holds the credential; - is standard input. Without it, the command uses --profile, MORTISE_TOKEN, \
            MORTISE_PROFILE or the current profile, in this order, or asks on the terminal. No option takes the token \
            itself, because ps would show it.
            """,
            valueName: "path"
        )
    )
    var tokenFile: InputFile?

    @Option(
        help: ArgumentHelp(
            "The profile of `mortise login` to use. Environment: MORTISE_PROFILE. (default: the current profile)",
            valueName: "name"
        )
    )
    var profile: String?

    @Option(
        help: ArgumentHelp(
            """
            A file with the certificates (PEM) of the authorities to trust instead of the system's. Environment: \
            MORTISE_CA_FILE. (default: the profile's, or the system's)
            """,
            valueName: "path"
        ),
        completion: .file()
    )
    var caFile: String?

    @OptionGroup(title: "Connection")
    var time: TimeoutOptions

    @Flag(help: "Send the credential over plain HTTP to another machine. Everyone on the path can read it.")
    var plainHTTP = false

    /// Finds the credential and makes a client that presents it.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if there is no credential, or if it would cross a network in plain
    ///   text without `--plain-http`.
    func client() async throws -> ServerClient {
        try SettingWarning.printUnknownVariables()
        let access = try await ServerAccess.find(self)
        try checkEncryption(of: access.url)
        let credential = if let found = access.credential { found } else { try await CommandCredential.ask() }
        try await credential.renew()
        return try ServerClient(
            access.url,
            credential: credential,
            timeout: time.limit,
            authorities: access.authorities
        )
    }

    /// Throws if a credential would cross a network in plain text without `--plain-http`.
    func checkEncryption(of server: ServerURL) throws(CommandFailure) {
        guard server.isEncrypted || server.isLocal || plainHTTP else {
            throw CommandFailure.usage(
                "\(server.text) is not encrypted. The credential would cross the network in plain text.",
                details: ["Use https://, or add --plain-http if you own the network between."]
            )
        }
    }

    /// Throws if another option and `--token-file` both read standard input.
    func check(_ file: InputFile?, of option: String) throws {
        guard let file, file.isStandardInput, let tokenFile, tokenFile.isStandardInput else { return }
        throw ValidationError("\(option) and --token-file cannot both read standard input.")
    }
}
