import ArgumentParser
import MortiseClient

/// Whose keys a command is about.
struct KeyPlace: ParsableArguments {
    @Option(help: "A workspace's keys: its id, or its slug within the credential's organization.")
    var workspace: String?

    @Flag(help: "With --workspace: client keys, which belong to a subject, instead of service keys.")
    var client = false

    @Option(help: "An organization's admin keys, by the organization's id.")
    var organization: String?

    @Flag(help: "The platform's operator keys.")
    var `operator` = false

    func validate() throws {
        let places = [workspace != nil, organization != nil, `operator`].count { $0 }
        guard places == 1 else {
            throw ValidationError("Say whose keys: exactly one of --workspace, --organization and --operator.")
        }
        guard !client || workspace != nil else { throw ValidationError("--client goes with --workspace.") }
    }

    /// Whether the keys have permissions instead of scopes.
    var isManagement: Bool { workspace == nil }

    /// The path of the keys, or of one of them and what follows.
    func path(_ more: String...) -> [String] { collection.path() + more }

    private var collection: KeyCollection {
        if let workspace { return client ? .client(workspace: workspace) : .service(workspace: workspace) }
        if let organization { return .admin(organization: organization) }
        return .operator
    }
}

/// The key that a command is about.
struct KeyArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The key's id, as `mortise key list` shows it.", valueName: "id"))
    var id: String
}
