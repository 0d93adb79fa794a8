import ArgumentParser
import Keys

/// The kind of a key that the settings of a server can preset.
enum PresetKind: String, CaseIterable, ExpressibleByArgument {
    case `operator`
    case admin

    /// The kind in the terms of tokens.
    var kind: KeyKind {
        switch self {
        case .operator: .operator
        case .admin: .admin
        }
    }
}

/// The `mortise key generate` command.
struct KeyGenerate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Make a token for MORTISE_OPERATOR_KEY or MORTISE_ADMIN_KEY.",
        discussion: HelpText.discussion(
            """
            The token is random, and no server knows it yet. The first start of `mortise serve` with the token creates its key.
            The command prints the token on standard output, unless --token-out names a file.
            """,
            needs: "nothing",
            examples: [
                "key generate --kind operator --token-out operator.key",
                "serve --operator-key-file operator.key",
            ],
            exits: "0 success, 64 usage error, 74 output error"
        )
    )

    @Option(help: "operator (for the platform) or admin (for the default organization).")
    var kind: PresetKind

    @OptionGroup
    var file: TokenFileOption

    func run() async throws {
        var random = SystemRandomNumberGenerator()
        let token = Token.make(prefix: kind.kind.defaultPrefix, mode: .live, workspace: .root, using: &random)
        if let tokenOut = file.tokenOut {
            try await FileAccess.writeSecret(token.reveal() + "\n", to: tokenOut)
        } else {
            try Output.line(token.reveal())
        }
    }
}
