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

    @Option(help: "Only organizations with this text in the name or slug. (default: all)")
    var query: String?

    @OptionGroup
    var options: ListOptions

    func columns(_ names: Names, isWide: Bool) -> [TableColumn<Mortise.Organization>] {
        let id = isWide ? [TableColumn<Mortise.Organization>("ID") { $0.id }] : []
        let more = isWide ? [TableColumn<Mortise.Organization>("PREFIX") { DisplayText.optional($0.tokenPrefix) }] : []
        return id + [
            TableColumn("SLUG", minimum: 8) { $0.slug },
            TableColumn("NAME", minimum: 12) { $0.name },
            .time("CREATED", isWide: isWide) { $0.createdAt },
        ] + more
    }

    func list(_ names: Names) -> @Sendable (Mortise) -> PageSequence<Mortise.Organization> {
        let (query, limit) = (query, options.pages.limit)
        return { $0.organizations.list(query: query, limit: limit) }
    }
}
