import ArgumentParser

/// Where a member's new password comes from; never from the arguments, which `ps` shows to everybody.
struct PasswordOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("A file that holds the password in its first line; - is standard input.", valueName: "path")
    )
    var passwordFile: String?

    @Flag(help: "Ask for the password on the terminal, without showing it.")
    var askPassword = false

    func validate() throws {
        guard passwordFile == nil || !askPassword else {
            throw ValidationError("--password-file and --ask-password exclude each other.")
        }
    }

    /// Whether standard input is spoken for.
    var takesStandardInput: Bool { passwordFile == "-" }

    /// The password, if one is given.
    func password() async throws -> SecretText? {
        if let passwordFile { return try await fromFile(passwordFile) }
        guard askPassword else { return nil }
        do {
            let first = try await HiddenPrompt.read("Password of the member: ")
            guard try await HiddenPrompt.read("Once more: ") == first else {
                throw CommandFailure.usage("The two passwords differ; nothing was sent.")
            }
            return SecretText(first)
        } catch HiddenPrompt.Fault.noTerminal {
            throw CommandFailure.usage("There is no terminal to ask on: name a file with --password-file.")
        } catch HiddenPrompt.Fault.interrupted {
            throw CommandFailure(.interrupted, "Interrupted; nothing was sent.")
        }
    }

    private func fromFile(_ path: String) async throws -> SecretText {
        let name = path == "-" ? "Standard input" : "The file \(path)"
        do {
            let bytes = try await FileAccess.read(path, limit: HiddenPrompt.limit)
            // A password may begin or end with blanks; only the line break of the file is not part of it.
            let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n", maxSplits: 1).first ?? ""
            guard !line.isEmpty else { throw CommandFailure.usage("\(name) holds no password.") }
            return SecretText(String(line.hasSuffix("\r") ? line.dropLast() : line))
        } catch let fault as FileAccess.Fault {
            throw CommandFailure.usage("\(name), which --password-file names, cannot be read: \(fault.reason).")
        }
    }
}
