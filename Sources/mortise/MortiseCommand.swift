import ArgumentParser
import Glibc

/// The program.
@main
struct MortiseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mortise",
        abstract: "Issue, verify and revoke API keys for many tenants, each with its own database.",
        discussion: HelpText.reflowed(
            """
            Start with `mortise serve`. It runs its own PostgreSQL, and prints an operator key and an admin key once. Save the
            admin key in a file. Then try these commands in another terminal: `mortise login --token-file admin.key`,
            `mortise workspace list`, `mortise key create CI --workspace default --show-token`, and `mortise verify`.

            Tokens come from profiles, files, standard input, MORTISE_TOKEN or a hidden prompt. They are never arguments, because ps and
            the history of the shell would keep them. `mortise help COMMAND` explains a command.
            """
        ),
        version: Version.current,
        subcommands: [],
        groupedSubcommands: [
            CommandGroup(
                name: "Server",
                subcommands: [
                    Serve.self, Migrate.self, Doctor.self, Health.self, Bench.self, ClusterCommand.self,
                    SecretsCommand.self, BackupCommand.self, RestoreCommand.self, ReleaseCommand.self,
                ]
            ),
            CommandGroup(
                name: "Identity",
                subcommands: [
                    Login.self, Logout.self, Whoami.self, ProfileCommand.self, SessionCommand.self,
                    PasswordCommand.self,
                ]
            ),
            CommandGroup(
                name: "Client",
                subcommands: [
                    OrganizationCommand.self, WorkspaceCommand.self, MemberCommand.self, SessionIssuerCommand.self,
                    WebhookCommand.self, KeyCommand.self, Verify.self, Status.self,
                ]
            ),
        ]
    )

    /// Parses the command line and runs the command.
    static func main() async {
        do {
            try ArgumentGuard.check(CommandLine.arguments.dropFirst())
            var command = try parse(Array(CommandLine.arguments.dropFirst()))
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            try? Output.error(failure.text)
            Glibc.exit(failure.kind.rawValue)
        } catch let fault as ValidationError {
            // The command found the fault when it ran. The parser would show the usage of the whole program with it.
            let failure = CommandFailure.usage(fault.message)
            try? Output.error(failure.text)
            Glibc.exit(failure.kind.rawValue)
        } catch {
            exit(withError: error)
        }
    }

    /// Parses the arguments.
    ///
    /// - Throws: `CommandFailure` of kind `usage` for an unknown command or option, with a suggestion. Another error of the
    ///   parser as it is.
    private static func parse(_ arguments: [String]) throws -> any ParsableCommand {
        if let failure = UnknownArgument.topicFailure(arguments, of: self) { throw failure }
        do {
            return try parseAsRoot(arguments)
        } catch {
            // A request for help or for the version is an error, too.
            guard exitCode(for: error) == .validationFailure else { throw error }
            throw UnknownArgument.failure(arguments, of: self) ?? error
        }
    }
}
