
/// Where the credential of a command comes from; never from its arguments, which `ps` shows to everybody.
enum Credential {
    /// The environment variable.
    static let variable = "MORTISE_TOKEN"

    /// Finds the credential: the file, else the variable, else a question on the terminal.
    static func find(file: String?) async throws -> SecretText {
        if let file {
            return try await fromFile(file, flag: "--token-file")
        }
        if let text = Environment.value(variable) {
            return try checked(text, from: variable)
        }
        guard Terminal.isError else { throw missing }
        do {
            return try checked(await HiddenPrompt.read("Admin, operator or session token: "), from: "What was typed")
        } catch HiddenPrompt.Fault.noTerminal {
            throw missing
        } catch HiddenPrompt.Fault.interrupted {
            throw CommandFailure(.interrupted, "Interrupted; nothing was sent.")
        }
    }

    /// Reads a file that holds one token and, at most, a line break.
    static func fromFile(_ path: String, flag: String) async throws -> SecretText {
        let name = path == "-" ? "Standard input" : "The file \(path)"
        do {
            let bytes = try await FileAccess.read(path, limit: HiddenPrompt.limit)
            return try checked(String(decoding: bytes, as: UTF8.self), from: name)
        } catch let fault as FileAccess.Fault {
            throw CommandFailure.usage("\(name), which \(flag) names, cannot be read: \(fault.reason).")
        }
    }

    /// Takes text that can stand in a header; the message never quotes it.
    static func checked(_ text: String, from source: String) throws(CommandFailure) -> SecretText {
        let token = text.trimmingBlanks
        guard !token.isEmpty else { throw .usage("\(source) holds no token.") }
        guard token.utf8.count <= HiddenPrompt.limit, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .usage("\(source) does not hold one token: a token is a single line without blanks.")
        }
        return SecretText(token)
    }

    private static let missing = CommandFailure.usage(
        "There is no credential.",
        details: [
            "Set \(variable), or name a file with --token-file PATH (- is standard input).",
            "On a terminal the token is asked for and not shown.",
        ]
    )
}

extension String {
    /// The text without blanks and line breaks around it.
    var trimmingBlanks: String {
        let start = drop { $0.isWhitespace }
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...last])
    }
}
