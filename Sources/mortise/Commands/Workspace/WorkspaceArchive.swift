import ArgumentParser
import MortiseClient

/// The `mortise workspace archive` command.
struct WorkspaceArchive: ObjectCommand, ConfirmedCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Archive a workspace.",
        discussion: HelpText.discussion(
            """
            Its keys are refused from then on. Its database stays until the workspace is deleted. `mortise workspace restore`
            undoes the command for 30 days. Asks for confirmation.
            """,
            needs: HelpText.adminKey,
            examples: ["workspace archive shop", "workspace archive shop --yes"]
        )
    )

    @OptionGroup
    var target: WorkspaceArgument

    @OptionGroup
    var options: ConfirmedOptions

    func question(_ names: Names) -> String {
        """
        Archive the workspace \(target.workspace)? All its keys stop working. `mortise workspace restore` can undo this for \
        30 days, and not afterwards.
        """
    }

    func report(_ workspace: Mortise.Workspace) -> Report {
        var report = Report.changed("Archived", workspace)
        report.next = ["Undo this within 30 days: `mortise workspace restore \(target.workspace)`."]
        return report
    }

    func request(_ names: Names) async throws -> Request<Mortise.Workspace> {
        let workspace = try await names.workspace(target.workspace)
        return Request { client throws(MortiseError) in try await client.workspaces.archive(workspace) }
    }
}

/// The `mortise workspace restore` command.
struct WorkspaceRestore: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Restore an archived workspace, within 30 days.",
        discussion: HelpText.discussion(
            """
            The workspace gets the state that it had before: active or suspended. Its keys work again as far as they did.
            Restoring a workspace that is not archived changes nothing.
            """,
            needs: HelpText.adminKey,
            examples: ["workspace restore shop"]
        )
    )

    @OptionGroup
    var target: WorkspaceArgument

    @OptionGroup
    var options: CallOptions

    func report(_ workspace: Mortise.Workspace, after earlier: Mortise.Workspace?, _ names: Names) -> Report {
        // An archival that was interrupted has not changed the state yet, and is finished and undone.
        guard let earlier, earlier.state != .archived, earlier.updatedAt == workspace.updatedAt else {
            return .changed("Restored", workspace)
        }
        return Report(
            sentence: "The workspace \(workspace.slug) was not archived. Nothing was changed.",
            members: ["id", "state"]
        )
    }

    func earlier(_ names: Names) async throws -> Mortise.Workspace? {
        let workspace = try await names.workspace(target.workspace)
        do throws(CommandFailure) {
            return try await names.read { client throws(MortiseError) in try await client.workspaces.get(workspace) }
        } catch {
            // A credential that cannot read the workspace may still restore it.
            guard error.kind == .refused else { throw error }
            return nil
        }
    }

    func request(_ names: Names) async throws -> Request<Mortise.Workspace> {
        let workspace = try await names.workspace(target.workspace)
        return Request { client throws(MortiseError) in try await client.workspaces.restore(workspace) }
    }
}

/// The `mortise workspace delete` command.
struct WorkspaceDelete: ActionCommand, ConfirmedCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete an archived workspace and its database.",
        discussion: HelpText.discussion(
            "Its keys and their events are lost. Asks for confirmation.",
            needs: HelpText.adminKey,
            examples: ["workspace delete shop", "workspace delete shop --yes"]
        )
    )

    @OptionGroup
    var target: WorkspaceArgument

    @OptionGroup
    var options: ConfirmedOptions

    func question(_ names: Names) -> String {
        "Delete the workspace \(target.workspace), its database, its keys and their history? This cannot be undone."
    }

    var success: String { "Deleted the workspace \(target.workspace)." }

    func request(_ names: Names) async throws -> Request<Void> {
        let workspace = try await names.workspace(target.workspace)
        return Request { client throws(MortiseError) in try await client.workspaces.delete(workspace) }
    }
}
