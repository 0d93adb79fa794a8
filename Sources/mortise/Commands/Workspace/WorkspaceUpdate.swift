import ArgumentParser
import MortiseClient

/// The `mortise workspace update` command.
struct WorkspaceUpdate: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change the name, the slug or the scopes of members of a workspace.",
        discussion: HelpText.discussion(
            "Options that are absent change nothing. Keys and tokens depend on neither name nor slug.",
            needs: HelpText.adminKey,
            examples: ["workspace update shop --name \"Web shop\"", "workspace update shop --clear-name"]
        )
    )

    @OptionGroup
    var target: WorkspaceArgument

    @OptionGroup
    var newName: ClearableNameOptions

    @Option(help: "The new slug.")
    var slug: String?

    @Option(
        help: ArgumentHelp(
            "A scope that members can give to their own client keys. Repeatable; the list replaces the old one.",
            valueName: "scope"
        )
    )
    var memberScope: [String] = []

    @Flag(help: "Let members give every scope without a wildcard to their own client keys.")
    var clearMemberScopes = false

    @OptionGroup
    var options: CallOptions

    private var scopes: Change<[String]> {
        Change(memberScope.isEmpty ? nil : memberScope, clears: clearMemberScopes)
    }

    func validate() throws {
        guard memberScope.isEmpty || !clearMemberScopes else {
            throw ValidationError("Use --member-scope or --clear-member-scopes, not both.")
        }
        guard newName.change != .keep || slug != nil || scopes != .keep else { throw ValidationError.nothingToChange }
    }

    func report(_ workspace: Mortise.Workspace) -> Report {
        var report = Report.changed("Changed", workspace)
        report.members = ["id", "slug", "name", "state", "member_scopes"]
        return report
    }

    func request(_ names: Names) async throws -> Request<Mortise.Workspace> {
        let workspace = try await names.workspace(target.workspace)
        return Request { client throws(MortiseError) in
            try await client.workspaces.update(workspace, name: newName.change, slug: slug, memberScopes: scopes)
        }
    }
}
