import ArgumentParser
import MortiseClient

/// The `mortise key list` command.
struct KeyList: ListCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List keys, newest first.",
        discussion: HelpText.discussion(
            "Filters narrow the list. Tokens are never listed. The prefix is the first 16 characters of the newest token.",
            needs: HelpText.adminKey,
            examples: [
                "key list --workspace shop",
                "key list --workspace shop --status active --all --json",
                "key list --workspace shop --query mks_live_a1b2",
                "key list --operator",
            ]
        )
    )

    @OptionGroup(title: "Key owner (exactly one)")
    var owner: KeyOwnerOptions

    @Option(help: "Only keys with this text in the name, the description or the prefix. (default: all)")
    var query: String?

    @Option(help: "Only keys with this status: active, disabled, deprecated, expired or revoked. (default: all)")
    var status: String?

    @Option(help: "Only keys of this type: service or anon. (default: all)")
    var type: String?

    @Option(help: "With --client: only keys of this subject. (default: all)")
    var subject: String?

    @OptionGroup
    var options: ListOptions

    func validate() throws {
        guard subject == nil || owner.client else { throw ValidationError("--subject requires --client.") }
    }

    var columns: [TableColumn<Mortise.Key>] {
        [
            TableColumn("ID") { $0.id },
            TableColumn("NAME", minimum: 12) { $0.name },
            TableColumn("STATUS") { $0.status.rawValue },
            ownColumn,
            TableColumn("PREFIX") { $0.prefix },
            TableColumn("LAST USED (UTC)") { DisplayText.minute($0.lastUsedAt) },
            TableColumn("EXPIRES (UTC)") { DisplayText.minute($0.expiresAt) },
        ]
    }

    /// The column that only keys of this kind have.
    private var ownColumn: TableColumn<Mortise.Key> {
        switch owner.collection {
        case .service: TableColumn("TYPE", minimum: 6) { DisplayText.optional($0.type) }
        case .client: TableColumn("SUBJECT", minimum: 6) { DisplayText.optional($0.subject) }
        case .admin, .operator: TableColumn("PERMISSIONS", minimum: 6) { DisplayText.list($0.permissions) }
        }
    }

    func list(_ client: Mortise) -> PageSequence<Mortise.Key> {
        owner.keys(client)
            .list(
                query: query,
                status: status.map(Mortise.Key.Status.init),
                type: type,
                subject: subject,
                limit: options.pages.limit
            )
    }
}
