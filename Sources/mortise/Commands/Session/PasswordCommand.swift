import ArgumentParser
import MortiseClient

/// The `mortise password` command.
struct PasswordCommand: ActionCommand {
    static let configuration = CommandConfiguration(
        commandName: "password",
        abstract: "Change your own password.",
        discussion: HelpText.discussion(
            "The command asks for both passwords on the terminal. Your other sessions end.",
            needs: SessionCommand.needs,
            examples: ["password", "password --current-password-file old.txt --password-file new.txt"]
        )
    )

    @Option(help: ArgumentHelp("A file with the current password in its first line.", valueName: "path"))
    var currentPasswordFile: InputFile?

    @Option(
        help: ArgumentHelp("A file with the new password in its first line, 12 to 256 characters.", valueName: "path")
    )
    var passwordFile: InputFile?

    @OptionGroup
    var options: CallOptions

    var success: String { "Changed your password. Your other sessions ended." }

    func request(_ names: Names) async throws -> Request<Void> {
        let missing = CommandFailure.usage(
            "There is no terminal to ask on. Use --current-password-file and --password-file."
        )
        let current: SecretToken =
            if let file = currentPasswordFile {
                try await file.readPassword(option: "--current-password-file")
            } else {
                SecretToken(try await HiddenPrompt.ask("Current password: ", orThrow: missing))
            }
        let new: SecretToken =
            if let passwordFile {
                try await passwordFile.readPassword(option: "--password-file")
            } else {
                try await PasswordOptions.ask("New password: ", orThrow: missing)
            }
        return Request { client throws(MortiseError) in try await client.changePassword(current: current, new: new) }
    }
}
