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
            needs: WebhookCommand.needs,
            examples: [
                "webhook create https://hooks.example.com/mortise --organization acme --event 'key.*'",
                "webhook create https://hooks.example.com/mortise --organization acme --event key.revoked --event key.leaked",
            ]
        )
    )

    @Argument(help: "The URL: https, or http on the server's own machine.")
    var url: String

    @OptionGroup(title: "Organization")
    var place: OrganizationOptions

    @Option(
        help: ArgumentHelp("The only workspace whose events are sent, by its id. (default: all)", valueName: "id")
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

    func request() -> Request<Mortise.RevealedWebhook> {
        let key = options.idempotency.makeKey()
        return Request { client throws(MortiseError) in
            try await client.webhooks(of: place.organization)
                .create(
                    url: url,
                    eventTypes: event.isEmpty ? ["*"] : event,
                    workspaceID: workspace,
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
            examples: ["webhook get ID --organization acme"]
        )
    )

    @OptionGroup
    var target: WebhookTarget

    @OptionGroup
    var options: CallOptions

    func request() -> Request<Mortise.Webhook> {
        Request { client throws(MortiseError) in try await target.webhooks(client).get(target.id) }
    }
}

/// The `mortise webhook update` command.
struct WebhookUpdate: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change the settings of a webhook.",
        discussion: HelpText.discussion(
            "A setting that is not named stays.",
            needs: WebhookCommand.needs,
            examples: ["webhook update ID --organization acme --url https://hooks.example.com/new"]
        )
    )

    @OptionGroup
    var target: WebhookTarget

    @Option(help: "The new URL.")
    var url: String?

    @Option(
        help: ArgumentHelp(
            "A type of event, such as key.revoked, key.* or *. Repeatable. Replaces the types.",
            valueName: "type"
        )
    )
    var event: [String] = []

    @Option(help: ArgumentHelp("The new description.", valueName: "text"))
    var description: String?

    @OptionGroup
    var options: CallOptions

    func validate() throws {
        guard url != nil || !event.isEmpty || description != nil else {
            throw ValidationError("Name a setting to change: --url, --event or --description.")
        }
    }

    func request() -> Request<Mortise.Webhook> {
        Request { client throws(MortiseError) in
            try await target.webhooks(client)
                .update(
                    target.id,
                    url: url,
                    eventTypes: event.isEmpty ? nil : event,
                    description: description.map { .set($0) } ?? .keep
                )
        }
    }
}
