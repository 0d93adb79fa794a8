import ArgumentParser
import MortiseClient

/// The `mortise webhook create` command.
struct WebhookCreate: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create a webhook.",
        discussion: HelpText.discussion(
            """
            Prints the webhook and its signing secret, which is not shown again. The receiver verifies each request with the
            secret.
            """,
            needs: WebhookCommand.subscribingNeeds,
            examples: [
                "webhook create https://hooks.example.com/mortise --event 'key.*'",
                "webhook create https://hooks.example.com/mortise --workspace shop --event key.revoked --event key.rotated",
            ]
        )
    )

    @Argument(help: "The URL: https, or http on the server's own machine.")
    var url: String

    @OptionGroup(title: "Organization")
    var place: OrganizationOptions

    @Option(
        help: "The only workspace whose events are sent: its id, its slug, or ORGANIZATION/SLUG. (default: all)"
    )
    var workspace: String?

    @Option(
        help: ArgumentHelp(
            "A type of event, such as key.revoked, key.* or *. Repeatable. (default: *)",
            valueName: "type"
        )
    )
    var event: [String] = []

    @Option(help: ArgumentHelp("A description. (default: none)", valueName: "text"))
    var description: String?

    @OptionGroup
    var options: CreateOptions

    func validate() throws { try WebhookCommand.checkSecret(options.call.output) }

    func report(_ webhook: Mortise.RevealedWebhook) -> Report {
        .revealed(
            "Created",
            webhook,
            next: ["Send a test event: `mortise webhook test \(webhook.id)\(place.spelling)`."]
        )
    }

    func request(_ names: Names) async throws -> Request<Mortise.RevealedWebhook> {
        let organization = try await names.organization(place.organization)
        let workspaceID: String? = if let workspace { try await names.workspaceID(workspace) } else { nil }
        let key = options.idempotency.makeKey()
        return Request { client throws(MortiseError) in
            try await client.webhooks(of: organization)
                .create(
                    url: url,
                    eventTypes: event.isEmpty ? ["*"] : event,
                    workspaceID: workspaceID,
                    description: description,
                    idempotencyKey: key
                )
        }
    }
}

/// The `mortise webhook get` command.
struct WebhookGet: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show a webhook.",
        discussion: HelpText.discussion(
            "Prints every property of the webhook, without its signing secret.",
            needs: WebhookCommand.readingNeeds,
            examples: ["webhook get https://hooks.example.com/mortise"]
        )
    )

    @OptionGroup
    var target: WebhookTarget

    @OptionGroup
    var options: CallOptions

    func request(_ names: Names) async throws -> Request<Mortise.Webhook> {
        let webhook = try await names.webhook(target)
        return Request { client throws(MortiseError) in
            try await client.webhooks(of: webhook.organization).get(webhook.id)
        }
    }
}

/// The `mortise webhook update` command.
struct WebhookUpdate: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change the settings of a webhook.",
        discussion: HelpText.discussion(
            "Options that are absent change nothing.",
            needs: WebhookCommand.subscribingNeeds,
            examples: [
                "webhook update https://hooks.example.com/mortise --new-url https://hooks.example.com/new",
                "webhook update https://hooks.example.com/mortise --event key.revoked --clear-description",
            ]
        )
    )

    @OptionGroup
    var target: WebhookTarget

    @Option(help: ArgumentHelp("The new URL. (--url names the server.)", valueName: "url"))
    var newURL: String?

    @Option(
        help: ArgumentHelp(
            "A type of event, such as key.revoked, key.* or *. Repeatable. Replaces the types.",
            valueName: "type"
        )
    )
    var event: [String] = []

    @Option(help: ArgumentHelp("The new description.", valueName: "text"))
    var description: String?

    @Flag(help: "Remove the description.")
    var clearDescription = false

    @OptionGroup
    var options: CallOptions

    private var newDescription: Change<String> { Change(description, clears: clearDescription) }

    func validate() throws {
        guard description == nil || !clearDescription else {
            throw ValidationError("Use --description or --clear-description, not both.")
        }
        guard newURL != nil || !event.isEmpty || newDescription != .keep else { throw ValidationError.nothingToChange }
    }

    func report(_ webhook: Mortise.Webhook) -> Report { .changed("Changed", webhook) }

    func request(_ names: Names) async throws -> Request<Mortise.Webhook> {
        let webhook = try await names.webhook(target)
        return Request { client throws(MortiseError) in
            try await client.webhooks(of: webhook.organization)
                .update(
                    webhook.id,
                    url: newURL,
                    eventTypes: event.isEmpty ? nil : event,
                    description: newDescription
                )
        }
    }
}
