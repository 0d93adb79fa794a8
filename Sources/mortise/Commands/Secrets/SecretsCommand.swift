import ArgumentParser
import Keys

/// `mortise secrets`.
struct SecretsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secrets",
        abstract: "The secrets file of an installation: new.",
        discussion: HelpText.reflowed(
            """
            The secrets file holds what must never be in the database: the peppers that key the digests of tokens, the
            secrets behind idempotent answers, those behind the database roles' passwords, and those that sign members'
            sessions. All nodes of an installation need the same file. Without it no token can be verified: keep a copy in a safe place.
            """
        ),
        subcommands: [SecretsNew.self]
    )
}

struct SecretsNew: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Write a new secrets file.",
        discussion: HelpText.discussion(
            """
            The file is readable by you alone (mode 0600) and is never overwritten. `mortise serve` reads it with --pepper-file
            or MORTISE_PEPPER_FILE.
            """,
            needs: "nothing",
            examples: ["secrets new /etc/mortise/secrets", "serve --pepper-file /etc/mortise/secrets"],
            exits: "0 done, 64 wrong usage or the file exists, 74 output not written"
        )
    )

    @Argument(help: ArgumentHelp("The file to make.", valueName: "path"))
    var path: String

    @Option(help: "The name by which the database refers to these secrets: 1 to 16 of a-z, 0-9 and -.")
    var id = "s1"

    func run() async throws {
        guard let id = SecretID(id) else { throw CommandFailure.usage("--id is 1 to 16 of a-z, 0-9 and -.") }
        var random = SystemRandomNumberGenerator()
        guard let secrets = SecretsFile.random(id: id, using: &random) else {
            throw CommandFailure(.output, "No secrets could be made.")
        }
        try await FileAccess.writeSecret(secrets.reveal(), to: path)
        try Output.line(
            "The secrets are in \(path.printable). Keep a copy in a safe place: without them no token can be verified."
        )
    }
}
