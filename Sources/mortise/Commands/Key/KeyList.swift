public import ArgumentParser
public import MortiseClient

extension Mortise.Key.Sort: ExpressibleByArgument {}

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
                "key list --workspace shop --unused-since 90d --sort last_used_at",
                "key list --workspace shop --expires-before 7d --sort expires_at",
                "key list --operator",
            ]
        )
    )

    @OptionGroup(title: "Key owner (exactly one)")
    var owner: KeyOwnerOptions

    @Option(
        help: "Only keys with this text in the name or description, or at the beginning of a token. (default: all)"
    )
    var query: String?

    @Option(help: "Only keys with this status: active, disabled, deprecated, expired or revoked. (default: all)")
    var status: String?

    @Option(help: "Only keys of this type: service or anon. (default: all)")
    var type: String?

    @Option(help: "With --client: only keys of this subject. (default: all)")
    var subject: String?

    @Option(
        help: ArgumentHelp(
            "Only keys created before this time (RFC 3339, or 30d for 30 days ago) and not used since. (default: all)",
            valueName: "time"
        )
    )
    var unusedSince: TimeOrDistance?

    @Option(
        help: ArgumentHelp(
            "Only keys that work and end before this time (RFC 3339, or 7d for in 7 days). (default: all)",
            valueName: "time"
        )
    )
    var expiresBefore: TimeOrDistance?

    // A minus at the beginning of a value is no other option.
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The order; a minus reverses it. (default: -created_at)", valueName: "order")
    )
    var sort: Mortise.Key.Sort?

    @OptionGroup
    var options: ListOptions

    func validate() throws {
        guard subject == nil || owner.client else { throw ValidationError("--subject requires --client.") }
    }

    func columns(_ names: Names, isWide: Bool) -> [TableColumn<Mortise.Key>] {
        let id = isWide ? [TableColumn<Mortise.Key>("ID") { $0.id }] : []
        let more: [TableColumn<Mortise.Key>] =
            isWide
            ? [
                .time("CREATED", isWide: true) { $0.createdAt }, TableColumn("MODE") { $0.mode.rawValue },
                TableColumn("SCOPES", minimum: 6) { DisplayText.list($0.scopes) },
            ] : []
        return id + [
            TableColumn("NAME", minimum: 12) { $0.name },
            TableColumn("STATUS", style: Style.of(status:)) { $0.status.rawValue },
            ownColumn,
            TableColumn("PREFIX") { $0.prefix },
            .time("LAST USED", isWide: isWide) { $0.lastUsedAt },
            .time("EXPIRES", isWide: isWide) { $0.expiresAt },
        ] + more
    }

    /// The column that only keys of this kind have.
    private var ownColumn: TableColumn<Mortise.Key> {
        if owner.workspace == nil {
            TableColumn("PERMISSIONS", minimum: 6) { DisplayText.list($0.permissions) }
        } else if owner.client {
            TableColumn("SUBJECT", minimum: 6) { DisplayText.optional($0.subject) }
        } else {
            TableColumn("TYPE", minimum: 6) { DisplayText.optional($0.type) }
        }
    }

    func list(_ names: Names) async throws -> @Sendable (Mortise) -> PageSequence<Mortise.Key> {
        let collection = try await names.collection(owner)
        let (query, type, subject, limit) = (query, type, subject, options.pages.limit)
        let (unusedSince, expiresBefore, sort) = (unusedSince?.past, expiresBefore?.future, sort)
        let status = status.map(Mortise.Key.Status.init)
        return {
            $0.keys(collection)
                .list(
                    query: query,
                    status: status,
                    type: type,
                    subject: subject,
                    unusedSince: unusedSince,
                    expiresBefore: expiresBefore,
                    sort: sort,
                    limit: limit
                )
        }
    }
}
