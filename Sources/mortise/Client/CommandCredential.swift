import MortiseClient

/// The credential of a command, from a file, the environment or a prompt.
///
/// It never comes from the arguments, which `ps` shows to every user of the machine.
enum CommandCredential {
    /// The environment variable.
    static let variable = "MORTISE_TOKEN"

    /// Finds the credential in the file, else in the environment variable, else by asking on the terminal.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if there is none, and `interrupted` after Ctrl-C at the prompt.
    static func find(file: InputFile?) async throws -> SecretToken {
        if let file { return try await file.readToken(option: "--token-file") }
        if let text = Environment.value(variable) { return try SecretToken(checking: text, from: variable) }
        guard Terminal.isError else { throw missing }
        let text = try await HiddenPrompt.ask("Admin key, operator key or session token: ", orThrow: missing)
        return try SecretToken(checking: text, from: "The input")
    }

    private static let missing = CommandFailure.usage(
        "No credential was given.",
        details: [
            "Set \(variable), or name a file with --token-file PATH (- is standard input).",
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
