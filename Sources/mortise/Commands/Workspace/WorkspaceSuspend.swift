import ArgumentParser
import MortiseClient

/// The `mortise workspace suspend` command.
struct WorkspaceSuspend: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "suspend",
        abstract: "Suspend a workspace: refuse its keys until it is resumed.",
        discussion: HelpText.discussion(
            """
            When the command returns, no node accepts a key of the workspace. Nothing is deleted. `mortise workspace resume` undoes
            the command.
            """,
            needs: HelpText.adminKey,
            examples: ["workspace suspend shop"]
        )
    )

    @OptionGroup
    var target: WorkspaceArgument

    @OptionGroup
    var options: CallOptions

    func report(_ workspace: Mortise.Workspace) -> Report {
        var report = Report.changed("Suspended", workspace)
        report.next = ["`mortise workspace resume \(target.workspace)` lets its keys in again."]
        return report
    }

    func request(_ names: Names) async throws -> Request<Mortise.Workspace> {
        let workspace = try await names.workspace(target.workspace)
        return Request { client throws(MortiseError) in try await client.workspaces.suspend(workspace) }
    }
}

/// The `mortise workspace resume` command.
struct WorkspaceResume: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Resume a suspended workspace: accept its keys again.",
        discussion: HelpText.discussion(
            "Keys that are revoked or expired stay so.",
            needs: HelpText.adminKey,
            examples: ["workspace resume shop"]
        )
    )

    @OptionGroup
    var target: WorkspaceArgument

    @OptionGroup
    var options: CallOptions

    func report(_ workspace: Mortise.Workspace) -> Report { .changed("Resumed", workspace) }

    func request(_ names: Names) async throws -> Request<Mortise.Workspace> {
        let workspace = try await names.workspace(target.workspace)
        return Request { client throws(MortiseError) in try await client.workspaces.resume(workspace) }
    }
}
