import ArgumentParser
import MortiseClient

/// The `mortise key usage` command.
struct KeyUsage: UsageCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage",
        abstract: "Show how often a key was verified, as a chart.",
        discussion: HelpText.discussion(
            """
            Counts accepted and refused verifications. --by code shows the verdicts. The server writes counts every second, so the
            last two seconds can be missing. A step without a verification has no line.
            """,
            needs: HelpText.adminKey,
            examples: [
                "key usage CI --workspace shop",
                "key usage CI --workspace shop --step minute --since 2026-01-31T11:00:00Z --by code",
            ]
        )
    )

    @OptionGroup
    var target: KeyTarget

    @OptionGroup(title: "Report")
    var usage: UsageOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func report(_ names: Names) async throws -> @Sendable (Mortise) -> PageSequence<Mortise.UsageRow> {
        let key = try await names.key(target)
        let query = usage.query
        return { $0.keys(key.collection).usage(key.id, query) }
    }
}
