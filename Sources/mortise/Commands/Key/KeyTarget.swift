import ArgumentParser
import MortiseClient

/// The owner of the keys that a command works on.
struct KeyOwnerOptions: ParsableArguments {
    @Option(help: "The keys of this workspace: its id, or its slug in the organization of the credential.")
    var workspace: String?

    @Flag(help: "With --workspace: the client keys, which belong to a subject, instead of the service keys.")
    var client = false

    @Option(help: "The admin keys of this organization, by its id or slug.")
    var organization: String?

    @Flag(help: "The operator keys of the platform.")
    var `operator` = false

    func validate() throws {
        let owners = [workspace != nil, organization != nil, `operator`].count { $0 }
        guard owners == 1 else {
            throw ValidationError(
                "Name the owner of the keys: exactly one of --workspace, --organization and --operator."
            )
        }
        guard !client || workspace != nil else { throw ValidationError("--client requires --workspace.") }
    }

    /// The keys of the owner.
    var collection: KeyCollection {
        if let workspace { return client ? .client(workspace: workspace) : .service(workspace: workspace) }
        if let organization { return .admin(organization: organization) }
        return .operator
    }

    /// Returns the calls for the keys of the owner.
    func keys(_ client: Mortise) -> Mortise.Keys { client.keys(collection) }
}

/// The key of a command.
struct KeyTarget: ParsableArguments {
    @Argument(help: ArgumentHelp("The id of the key, as `mortise key list` shows it.", valueName: "id"))
    var id: String

    @OptionGroup(title: "Key owner (exactly one)")
    var owner: KeyOwnerOptions

    /// Returns the calls for the keys among which the key is.
    func keys(_ client: Mortise) -> Mortise.Keys { owner.keys(client) }
}

/// The time during which a token still works.
struct GraceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The time that the token still works, such as 0, 90s, 12h or 7d, at most 30d. (default: 24h)",
            valueName: "duration"
        )
    )
    var grace: LengthOfTime?

    /// The grace period.
    ///
    /// `nil` lets the server use its default.
    var period: Duration? { grace.map { .seconds($0.seconds) } }
}

/// The reason for a change, which the audit log keeps.
struct ReasonOptions: ParsableArguments {
    @Option(help: "The reason, which the audit log keeps. (default: none)")
    var reason: String?
}
