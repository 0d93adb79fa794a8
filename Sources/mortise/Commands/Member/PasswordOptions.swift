import ArgumentParser
import MortiseClient

/// The new password of a member.
///
/// It never comes from the arguments, which `ps` shows to every user of the machine.
struct PasswordOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A file with the password in its first line, 12 to 256 characters; - is standard input.",
            valueName: "path"
        )
    )
    var passwordFile: InputFile?

    @Flag(help: "Ask for the password on the terminal, without showing it.")
    var askPassword = false

    func validate() throws {
        guard passwordFile == nil || !askPassword else {
            throw ValidationError("Use --password-file or --ask-password, not both.")
        }
    }

    /// Reads the password from the file, or asks for it on the terminal.
    ///
    /// - Returns: The password. `nil` if neither option was given.
    func password() async throws -> SecretToken? {
        if let passwordFile { return try await passwordFile.readPassword(option: "--password-file") }
        let missing = CommandFailure.usage("There is no terminal to ask on. Name a file with --password-file.")
        return askPassword ? try await Self.ask("Password of the member: ", orThrow: missing) : nil
    }

    /// Asks for a new password twice.
    static func ask(_ prompt: String, orThrow missing: CommandFailure) async throws -> SecretToken {
        let first = try await HiddenPrompt.ask(prompt, orThrow: missing)
        guard try await HiddenPrompt.ask("Repeat the password: ", orThrow: missing) == first else {
            throw CommandFailure.usage("The two passwords differ. Nothing was sent.")
        }
        return SecretToken(first)
    }
}

extension InputFile {
    /// Reads the first line.
    ///
    /// Blanks in it are part of the password, the line break is not.
    func readPassword(option: String) async throws -> SecretToken {
        let bytes = try await read(limit: HiddenPrompt.limit, option: option)
        let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n", maxSplits: 1).first ?? ""
        guard !line.isEmpty else { throw CommandFailure.usage("\(name) holds no password.") }
        return SecretToken(String(line.hasSuffix("\r") ? line.dropLast() : line))
    }
}
