import ArgumentParser
import Keys

/// The keys that may be preset in the settings of a server.
enum PresetKind: String, CaseIterable, ExpressibleByArgument {
    case `operator`
    case admin

    /// The kind of the key.
    var kind: KeyKind {
        switch self {
        case .operator: .operator
        case .admin: .admin
        }
    }
}

struct KeyGenerate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Make a token for MORTISE_OPERATOR_KEY or MORTISE_ADMIN_KEY.",
        discussion: HelpText.discussion(
            """
            The token is random and known to no server yet. The first start of `mortise serve` with it makes the key that it
            opens. Printed on standard output unless --token-out names a file.
            """,
            needs: "nothing",
            examples: [
                "key generate --kind operator --token-out operator.key",
                "serve --operator-key-file operator.key",
            ],
            exits: "0 done, 64 wrong usage, 74 output not written"
        )
    )

    @Option(help: "operator (the platform's) or admin (the default organization's).")
    var kind: PresetKind

    @Option(help: ArgumentHelp("Write the token into a new file that only you may read.", valueName: "path"))
    var tokenOut: String?

    func run() async throws {
        var random = SystemRandomNumberGenerator()
        let token = Token.make(prefix: kind.kind.defaultPrefix, mode: .live, workspace: .root, using: &random)
        if let tokenOut {
            try await FileAccess.writeSecret(token.reveal() + "\n", to: tokenOut)
        } else {
            try Output.line(token.reveal())
        }
    }
}
