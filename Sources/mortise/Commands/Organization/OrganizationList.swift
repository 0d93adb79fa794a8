import ArgumentParser
import MortiseClient

/// The `mortise organization list` command.
struct OrganizationList: ListCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List organizations, newest first.",
        discussion: HelpText.discussion(
            "Prints a table, or JSON for scripts.",
            needs: HelpText.operatorKey,
            examples: ["organization list", "organization list --all --json"]
        )
    )

    @OptionGroup
    var options: ListOptions

    var columns: [TableColumn<Mortise.Organization>] {
        [
            TableColumn("ID") { $0.id },
            TableColumn("NAME", minimum: 12) { $0.name },
            TableColumn("SLUG", minimum: 8) { $0.slug },
            TableColumn("CREATED (UTC)") { DisplayText.minute($0.createdAt) },
        ]
    }

    func list(_ client: Mortise) -> PageSequence<Mortise.Organization> {
        client.organizations.list(limit: options.pages.limit)
    }
}
