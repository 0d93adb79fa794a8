import ArgumentParser
import MortiseClient

/// The `mortise webhook list` command.
struct WebhookList: ListCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the webhooks of an organization, newest first.",
        discussion: HelpText.discussion(
            "--json also shows the descriptions and times.",
            needs: WebhookCommand.readingNeeds,
            examples: ["webhook list --organization acme"]
        )
    )

    @OptionGroup(title: "Organization")
    var place: OrganizationOptions

    @OptionGroup
    var options: ListOptions

    var columns: [TableColumn<Mortise.Webhook>] {
        [
            TableColumn("ID") { $0.id },
            TableColumn("URL", minimum: 20) { $0.url },
            TableColumn("EVENTS", minimum: 8) { DisplayText.list($0.eventTypes) },
            TableColumn("WORKSPACE", minimum: 9) { DisplayText.optional($0.workspaceID) },
            TableColumn("STATE", minimum: 8) { $0.isEnabled ? "enabled" : "disabled" },
        ]
    }

    func list(_ client: Mortise) -> PageSequence<Mortise.Webhook> {
        client.webhooks(of: place.organization).list(limit: options.pages.limit)
    }
}

/// The `mortise webhook deliveries` command.
struct WebhookDeliveries: ListCommand {
    static let configuration = CommandConfiguration(
        commandName: "deliveries",
        abstract: "List the deliveries of a webhook, newest first.",
        discussion: HelpText.discussion(
            "--json also shows each attempt with the beginning of its answer. Deliveries are kept for 30 days.",
            needs: WebhookCommand.readingNeeds,
            examples: ["webhook deliveries ID --organization acme", "webhook deliveries ID --organization acme --json"]
        )
    )

    @OptionGroup
    var target: WebhookTarget

    @OptionGroup
    var options: ListOptions

    var columns: [TableColumn<Mortise.WebhookDelivery>] {
        [
            TableColumn("ID") { $0.id },
            TableColumn("TYPE", minimum: 12) { $0.type },
            TableColumn("ATTEMPTS", minimum: 8) { "\($0.attempts.count)" },
            TableColumn("STATUS", minimum: 6) { DisplayText.optional($0.attempts.last?.statusCode.map { "\($0)" }) },
            TableColumn("ERROR", minimum: 12) { DisplayText.optional($0.attempts.last?.error) },
        ]
    }

    func list(_ client: Mortise) -> PageSequence<Mortise.WebhookDelivery> {
        target.webhooks(client).deliveries(of: target.id, limit: options.pages.limit)
    }
}
