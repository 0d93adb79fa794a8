import ArgumentParser
import Glibc

/// The program.
@main
struct Mortise: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mortise",
        abstract: "Issues, verifies and revokes API keys for many tenants, each with a database of its own.",
        discussion: HelpText.reflowed(
            """
            Start with `mortise serve`: it runs a PostgreSQL of its own, and prints an operator key and an admin key once.
            Then, in another terminal, with the admin key in a file of your own, try `mortise workspace list --token-file
            admin.key`, `mortise key create CI --workspace default --show-token --token-file admin.key` and `mortise verify
            --token-file admin.key`.

            Tokens are read from files, from standard input, from MORTISE_TOKEN or from a hidden prompt, never from
            arguments, where ps and the shell's history would keep them. `mortise help COMMAND` explains each command.
            """
        ),
        version: Version.current,
        subcommands: [],
        groupedSubcommands: [
            CommandGroup(
                name: "Running it",
                subcommands: [Serve.self, Migrate.self, Doctor.self, ClusterCommand.self, SecretsCommand.self]
            ),
            CommandGroup(
                name: "Using it",
                subcommands: [
                    OrganizationCommand.self, WorkspaceCommand.self, MemberCommand.self, SessionIssuerCommand.self,
                    KeyCommand.self, Verify.self,
                ]
            ),
        ]
    )

    /// Parses the command line and runs the command that it names.
    static func main() async {
        do {
            try ArgumentGuard.check(CommandLine.arguments.dropFirst())
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            try? Output.error(failure.text)
            Glibc.exit(failure.kind.rawValue)
        } catch {
            exit(withError: error)
        }
    }
}
