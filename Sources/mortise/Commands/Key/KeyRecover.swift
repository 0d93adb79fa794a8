import ArgumentParser
import Keys

/// The `mortise key recover` command.
struct KeyRecover: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover",
        abstract: "Create an operator key beside the database, after all others are lost.",
        discussion: HelpText.discussion(
            """
            The command works on the database itself, without a server. It creates one more operator key, records the event, and
            leaves all other keys as they are. Servers that run accept the token at once. The command prints the token on standard
            output, unless --token-out names a file.
            """,
            needs: "the database settings of `mortise serve`, and the secrets file, which this command does not create",
            examples: ["key recover --token-out operator.key"],
            exits: "0 success, 1 refused, 64 usage or setting error, 74 output error"
        )
    )

    @OptionGroup
    var file: TokenFileOption

    @OptionGroup(title: "Installation")
    var installation: InstallationOptions

    func run() async throws {
        let settings = try InstallationSettings(installation.reader())
        let tokenOut = file.tokenOut
        try await runRecovery(settings) { token in
            if let tokenOut {
                try await FileAccess.writeSecret(token.reveal() + "\n", to: tokenOut)
            } else {
                // The keys are not committed yet, and a reader of standard output can be slow.
                try await Blocking.run { try Output.line(token.reveal()) }
            }
        }
        guard let tokenOut else { return }
        let file = tokenOut.printable
        try Output.line("Created an operator key. The token is in \(file).")
        try Output.line("Use it as the credential of further commands: `mortise login --token-file \(file)`.")
    }
}
