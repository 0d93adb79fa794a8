import ArgumentParser
import MortiseClient

/// The `mortise key retire` command.
struct KeyRetire: ConfirmedCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire",
        abstract: "Disable or revoke all client keys of a removed subject.",
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
    var clientKeys = ClientKeyTreatment.disable

    @OptionGroup
    var options: ConfirmedOptions

    func question(_ names: Names) -> String {
        "The client keys of \(subject) in the workspace \(workspace) \(clientKeys.effect). Go on?"
    }

    func run() async throws {
        try checkConsent()
        let names = try await names()
        let count = try await names.explained {
            try await confirm(names)
            let workspace = try await names.workspace(workspace)
            let request = Request { client throws(MortiseError) in
                try await client.workspaces.retireClientKeys(of: subject, in: workspace, clientKeys.outcome)
            }
            return try await names.answer(to: request).value
        }
        try options.call.output.confirm(Self.success(count, subject, clientKeys))
    }

    /// Returns the sentence after success, which tells a wrong subject.
    static func success(_ count: Int, _ subject: String, _ fate: ClientKeyTreatment) -> String {
        switch count {
        case 0: "No client key of \(subject) was working in the workspace. Nothing was changed."
        case 1: "The client keys of \(subject) \(fate.effect): 1 key."
        default: "The client keys of \(subject) \(fate.effect): \(count) keys."
        }
    }
}
