import ArgumentParser
import Keys

/// The `mortise secrets` commands.
struct SecretsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secrets",
        abstract: "Manage the secrets file of an installation: new.",
        discussion: HelpText.reflowed(
            """
            The secrets file holds the secrets that must never be in the database. They are the peppers for the digests of
            tokens, and the secrets for idempotent answers, for the passwords of database roles, and for the signatures of
            members' sessions. All nodes of an installation need the same file. Without it no token can be verified, so keep a
            copy in a safe place.
            """
        ),
        subcommands: [SecretsNew.self]
    )
}

/// The `mortise secrets new` command.
struct SecretsNew: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Create a secrets file.",
        discussion: HelpText.discussion(
            """
            Only you can read the file (mode 0600). An existing file is never overwritten. `mortise serve` reads the file with
            --pepper-file or MORTISE_PEPPER_FILE.
            """,
            needs: "nothing",
            examples: ["secrets new /etc/mortise/secrets", "serve --pepper-file /etc/mortise/secrets"],
            exits: "0 success, 64 usage error or existing file, 74 output error"
        )
    )

    @Argument(help: ArgumentHelp("The file to create.", valueName: "path"))
    var path: String

    @Option(help: "The id of the secrets in the database: 1 to 16 characters of a-z, 0-9 and -.")
    var id = "s1"

    func run() async throws {
        guard let id = SecretID(id) else {
            throw CommandFailure.usage("--id must be 1 to 16 characters of a-z, 0-9 and -.")
        }
        var random = SystemRandomNumberGenerator()
        guard let secrets = SecretsFile.random(id: id, using: &random) else {
            throw CommandFailure(.output, "The secrets could not be created.")
        }
        try await FileAccess.writeSecret(secrets.reveal(), to: path)
        try Output.line(
            "The secrets are in \(path.printable). Keep a copy in a safe place: without them no token can be verified."
        )
    }
}
