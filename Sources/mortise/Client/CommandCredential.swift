import MortiseClient

/// The credential of a command.
///
/// It never comes from the arguments, which `ps` shows to every user of the machine.
struct CommandCredential: Sendable {
    /// The environment variable.
    static let variable = "MORTISE_TOKEN"

    /// The credential for the client.
    let credential: Credential
    /// True if the credential is an operator key, by its prefix.
    let isOperator: Bool
    /// The origin of the credential, for messages.
    let source: String
    /// Renews the token if it ends soon, so that a fault is known before the first request.
    let renew: @Sendable () async throws -> Void

    /// Wraps a token.
    init(_ token: SecretToken, from source: String) {
        credential = .token(token)
        isOperator = Self.isOperator(token)
        self.source = source
        renew = {}
    }

    /// Returns the kind of a credential for people, by its prefix.
    static func kind(of token: SecretToken) -> String { isOperator(token) ? "an operator key" : "an admin key" }

    private static func isOperator(_ token: SecretToken) -> Bool { token.reveal().hasPrefix("mko_") }

    /// Wraps the session of a profile.
    init(_ session: ProfileSession, from source: String) {
        credential = .provided { try await session.token() }
        isOperator = false
        self.source = source
        renew = { _ = try await session.token() }
    }

    /// Asks for the credential on the terminal.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if there is no terminal, and `interrupted` after Ctrl-C at the prompt.
    static func ask() async throws -> CommandCredential {
        guard Terminal.isError else { throw missing }
        let text = try await HiddenPrompt.ask("Admin key, operator key or session token: ", orThrow: missing)
        return CommandCredential(try SecretToken(checking: text, from: "The input"), from: "the prompt")
    }

    private static let missing = CommandFailure.usage(
        "No credential was given.",
        details: [
            "Sign in with `mortise login`, set \(variable), or name a file with --token-file PATH (- is standard input).",
            "On a terminal, the command asks for the token and does not show it.",
        ]
    )
}

extension InputFile {
    /// Reads a file that holds one token and at most a line break after it.
    func readToken(option: String) async throws -> SecretToken {
        let bytes = try await read(limit: HiddenPrompt.limit, option: option)
        return try SecretToken(checking: String(decoding: bytes, as: UTF8.self), from: name)
    }
}

extension SecretToken {
    /// Takes text that a header can carry.
    ///
    /// - Parameters:
    ///   - text: The token. Blanks and line breaks around it are removed.
    ///   - source: The subject of the error message.
    /// - Throws: `CommandFailure` of kind `usage`, which does not quote the text.
    init(checking text: String, from source: String) throws(CommandFailure) {
        let token = text.trimmingBlanks
        guard !token.isEmpty else { throw .usage("\(source) holds no token.") }
        guard token.utf8.count <= HiddenPrompt.limit, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .usage("\(source) does not hold one token. A token is a single line without blanks.")
        }
        self.init(token)
    }
}

extension String {
    /// The text without the blanks and line breaks around it.
    var trimmingBlanks: String {
        let start = drop { $0.isWhitespace }
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...last])
    }
}
