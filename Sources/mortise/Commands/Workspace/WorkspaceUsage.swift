import ArgumentParser
import MortiseClient

/// The `mortise workspace usage` command.
struct WorkspaceUsage: UsageCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage",
        abstract: "Show how often the keys of a workspace were verified, as a chart.",
        discussion: HelpText.discussion(
            """
            Counts accepted and refused verifications of all service and client keys. --by key shows the keys, --by code the
            verdicts. The server writes counts every second, so the last two seconds can be missing. A step without a verification
            has no line.
            """,
            needs: HelpText.adminKey,
            examples: [
                "workspace usage shop", "workspace usage shop --step day --since 2026-01-01T00:00:00Z --by key --json",
            ]
        )
    )

    @OptionGroup
    var target: WorkspaceArgument

    @OptionGroup(title: "Report")
    var usage: UsageOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func report(_ names: Names) async throws -> @Sendable (Mortise) -> PageSequence<Mortise.UsageRow> {
        let workspace = try await names.workspace(target.workspace)
        let query = usage.query
        return { $0.workspaces.usage(workspace, query) }
    }

    func keyNames(_ ids: Set<String>, _ names: Names) async throws -> [String: String] {
        await names.keyNames(ids, in: try await names.workspace(target.workspace))
    }
}
