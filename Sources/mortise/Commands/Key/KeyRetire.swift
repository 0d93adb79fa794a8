import ArgumentParser
import MortiseClient

/// The `mortise key retire` command.
struct KeyRetire: ActionCommand, ConfirmedCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire",
        abstract: "Disable or revoke all client keys of a subject that is gone.",
        discussion: HelpText.discussion(
            """
            Mortise does not learn that an application has deleted a user. When the command returns, no node accepts a client key
            of the subject in the workspace. With --client-keys keep, the keys go on working. Asks for confirmation.
            """,
            needs: HelpText.adminKey,
            examples: [
                "key retire user_42 --workspace shop", "key retire user_42 --workspace shop --client-keys revoke --yes",
            ]
        )
    )

    @Argument(help: "The owner of the client keys, such as user_42.")
    var subject: String

    @Option(help: "The workspace of the keys: its id, its slug, or ORGANIZATION/SLUG.")
    var workspace: String

    @Option(help: "The outcome for the keys: disable, keep or revoke.")
    var clientKeys = ClientKeyFate.disable

    @OptionGroup
    var options: ConfirmedOptions

    func question(_ names: Names) -> String {
        "The client keys of \(subject) in the workspace \(workspace) \(clientKeys.effect). Go on?"
    }

    var success: String { "The client keys of \(subject) \(clientKeys.effect)." }

    func request(_ names: Names) async throws -> Request<Void> {
        let workspace = try await names.workspace(workspace)
        return Request { client throws(MortiseError) in
            _ = try await client.workspaces.retireClientKeys(of: subject, in: workspace, clientKeys.outcome)
        }
    }
}
