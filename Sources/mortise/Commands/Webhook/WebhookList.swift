import ArgumentParser
import MortiseClient

/// The `mortise webhook list` command.
struct WebhookList: ListCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the webhooks of an organization, newest first.",
        discussion: HelpText.discussion(
            "--wide also shows the ids, the descriptions, and why a webhook is disabled.",
            needs: WebhookCommand.readingNeeds,
            examples: ["webhook list", "webhook list --organization acme --json"]
        )
    )

    @OptionGroup(title: "Organization")
    var place: OrganizationOptions

    @OptionGroup
    var options: ListOptions

    func columns(_ names: Names, isWide: Bool) -> [TableColumn<Mortise.Webhook>] {
        let id = isWide ? [TableColumn<Mortise.Webhook>("ID") { $0.id }] : []
        let more: [TableColumn<Mortise.Webhook>] =
            isWide
            ? [
                TableColumn("REASON", minimum: 12) { DisplayText.optional($0.disabledReason) },
                TableColumn("DESCRIPTION", minimum: 12) { DisplayText.optional($0.description) },
            ] : []
        return id + [
            TableColumn("URL", minimum: 20) { $0.url },
            TableColumn("EVENTS", minimum: 8) { DisplayText.list($0.eventTypes) },
            TableColumn("WORKSPACE", minimum: 9) { DisplayText.optional($0.workspaceID.map(names.workspaceSlug)) },
            TableColumn("STATE", style: Style.of(status:)) { $0.isEnabled ? "enabled" : "disabled" },
            .time("ACCEPTED", isWide: isWide) { $0.lastDeliveryAt },
        ] + more
    }

    func prepare(_ items: [Mortise.Webhook], _ names: Names) async {
        await names.learnWorkspaces(items.compactMap(\.workspaceID))
    }

    func list(_ names: Names) async throws -> @Sendable (Mortise) -> PageSequence<Mortise.Webhook> {
        let organization = try await names.organization(place.organization)
        let limit = options.pages.limit
        return { $0.webhooks(of: organization).list(limit: limit) }
    }
}

/// The `mortise webhook deliveries` command.
struct WebhookDeliveries: ListCommand {
    static let configuration = CommandConfiguration(
        commandName: "deliveries",
        abstract: "List the deliveries of a webhook, newest first.",
        discussion: HelpText.discussion(
            """
            --wide also shows the time of the next attempt, and --json each attempt with the beginning of its answer.
            Deliveries are kept for 30 days.
            """,
            needs: WebhookCommand.readingNeeds,
            examples: [
                "webhook deliveries https://hooks.example.com/mortise",
                "webhook deliveries https://hooks.example.com/mortise --organization acme --json",
            ]
        )
    )

    @OptionGroup
    var target: WebhookTarget

    @OptionGroup
    var options: ListOptions

    func columns(_ names: Names, isWide: Bool) -> [TableColumn<Mortise.WebhookDelivery>] {
        let next: [TableColumn<Mortise.WebhookDelivery>] =
            isWide ? [.time("NEXT", isWide: true) { $0.nextAttemptAt }] : []
        return [
            TableColumn("ID") { $0.id },
            .time("TIME", isWide: isWide) { $0.createdAt },
            TableColumn("TYPE", minimum: 12) { $0.type },
            TableColumn("ATTEMPTS", minimum: 8) { "\($0.attempts.count)" },
            TableColumn("STATUS", minimum: 6) { DisplayText.optional($0.attempts.last?.statusCode.map { "\($0)" }) },
            TableColumn("ERROR", minimum: 12) { DisplayText.optional($0.attempts.last?.error) },
        ] + next
    }

    func list(_ names: Names) async throws -> @Sendable (Mortise) -> PageSequence<Mortise.WebhookDelivery> {
        let webhook = try await names.webhook(target)
        let limit = options.pages.limit
        return { $0.webhooks(of: webhook.organization).deliveries(of: webhook.id, limit: limit) }
    }
}
