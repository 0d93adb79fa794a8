import ArgumentParser
import MortiseClient

/// The owner of the keys that a command works on.
struct KeyOwnerOptions: ParsableArguments {
    @Option(help: "The keys of this workspace: its id, its slug, or ORGANIZATION/SLUG.")
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

    /// The kind of the keys, such as "service key".
    var noun: String {
        if workspace != nil { return client ? "client key" : "service key" }
        return organization == nil ? "operator key" : "admin key"
    }

    /// The options as a command line has them.
    var spelling: String {
        if let workspace { return "--workspace \(workspace)\(client ? " --client" : "")" }
        return organization.map { "--organization \($0)" } ?? "--operator"
    }
}

/// The key of a command.
struct KeyTarget: ParsableArguments {
    @Argument(help: ArgumentHelp("The key: its name, its id, or the first characters of its token.", valueName: "key"))
    var key: String

    @OptionGroup(title: "Key owner (exactly one)")
    var owner: KeyOwnerOptions
}

/// The keys of a command.
struct KeyTargets: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "The keys, each by its name, its id, or the first characters of its token.",
            valueName: "key"
        )
    )
    var key: [String]

    @OptionGroup(title: "Key owner (exactly one)")
    var owner: KeyOwnerOptions
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

    func validate() throws {
        // The server's own message counts seconds.
        guard (grace?.seconds ?? 0) <= 30 * 86_400 else { throw ValidationError("--grace is at most 30d.") }
    }

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
