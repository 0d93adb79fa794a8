import ArgumentParser
import MortiseClient

/// The `mortise webhook enable` command.
struct WebhookEnable: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable",
        abstract: "Enable a webhook.",
        discussion: HelpText.discussion(
            "Deliveries that wait for an attempt go on. Events of the time in between can be missing.",
            needs: WebhookCommand.subscribingNeeds,
            examples: ["webhook enable https://hooks.example.com/mortise"]
        )
    )

    @OptionGroup
    var target: WebhookTarget

    @OptionGroup
    var options: CallOptions

    func report(_ webhook: Mortise.Webhook) -> Report { .changed("Enabled", webhook) }

    func request(_ names: Names) async throws -> Request<Mortise.Webhook> {
        let webhook = try await names.webhook(target)
        return Request { client throws(MortiseError) in
            try await client.webhooks(of: webhook.organization).enable(webhook.id)
        }
    }
}

/// The `mortise webhook disable` command.
struct WebhookDisable: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable",
        abstract: "Disable a webhook until it is enabled again.",
        discussion: HelpText.discussion(
            "Nothing is sent until then.",
            needs: WebhookCommand.needs,
            examples: ["webhook disable https://hooks.example.com/mortise"]
        )
    )

    @OptionGroup
    var target: WebhookTarget

    @OptionGroup
    var options: CallOptions

    func report(_ webhook: Mortise.Webhook) -> Report { .changed("Disabled", webhook) }

    func request(_ names: Names) async throws -> Request<Mortise.Webhook> {
        let webhook = try await names.webhook(target)
        return Request { client throws(MortiseError) in
            try await client.webhooks(of: webhook.organization).disable(webhook.id)
        }
    }
}

/// The `mortise webhook rotate-secret` command.
struct WebhookRotateSecret: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate-secret",
        abstract: "Replace the signing secret of a webhook.",
        discussion: HelpText.discussion(
            "Prints the new secret, which is not shown again. For 24 hours, the old secret signs, too.",
            needs: WebhookCommand.needs,
            examples: ["webhook rotate-secret https://hooks.example.com/mortise"]
        )
    )

    @OptionGroup
    var target: WebhookTarget

    @OptionGroup
    var options: CreateOptions

    func validate() throws { try WebhookCommand.checkSecret(options.call.output) }

    func report(_ webhook: Mortise.RevealedWebhook) -> Report {
        .revealed("Replaced the signing secret of", webhook, next: ["The old secret signs, too, for 24 hours."])
    }

    func request(_ names: Names) async throws -> Request<Mortise.RevealedWebhook> {
        let webhook = try await names.webhook(target)
        let key = options.idempotency.makeKey()
        return Request { client throws(MortiseError) in
            try await client.webhooks(of: webhook.organization).rotateSecret(webhook.id, idempotencyKey: key)
        }
    }
}

/// The `mortise webhook test` command.
struct WebhookTest: ActionCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Send a test event to a webhook.",
        discussion: HelpText.discussion(
            "The event has the type webhook.test. `mortise webhook deliveries` shows its outcome.",
            needs: WebhookCommand.needs,
            examples: ["webhook test https://hooks.example.com/mortise"]
        )
    )

    @OptionGroup
    var target: WebhookTarget

    @OptionGroup
    var options: CallOptions

    var success: String { "The test event will be sent." }

    func request(_ names: Names) async throws -> Request<Void> {
        let webhook = try await names.webhook(target)
        return Request { client throws(MortiseError) in
            try await client.webhooks(of: webhook.organization).test(webhook.id)
        }
    }
}

/// The `mortise webhook retry` command.
struct WebhookRetry: ActionCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Send a delivery again.",
        discussion: HelpText.discussion(
            "An attempt is made soon, even if a receiver accepted the delivery or the last attempt was made.",
            needs: WebhookCommand.needs,
            examples: [
                "webhook retry https://hooks.example.com/mortise --delivery 0198c0de-0000-7000-8000-000000000001"
            ]
        )
    )

    @OptionGroup
    var target: WebhookTarget

    @Option(help: ArgumentHelp("The delivery, by its id.", valueName: "id"))
    var delivery: String

    @OptionGroup
    var options: CallOptions

    var success: String { "The delivery will be sent." }

    func request(_ names: Names) async throws -> Request<Void> {
        let webhook = try await names.webhook(target)
        return Request { client throws(MortiseError) in
            try await client.webhooks(of: webhook.organization).retry(delivery, of: webhook.id)
        }
    }
}

/// The `mortise webhook delete` command.
struct WebhookDelete: ActionCommand, ConfirmedCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a webhook with its deliveries.",
        discussion: HelpText.discussion(
            "Events that wait for an attempt are not sent. Asks for confirmation.",
            needs: WebhookCommand.needs,
            examples: [
                "webhook delete https://hooks.example.com/mortise",
                "webhook delete https://hooks.example.com/mortise --organization acme --yes",
            ]
        )
    )

    @OptionGroup
    var target: WebhookTarget

    @OptionGroup
    var options: ConfirmedOptions

    func question(_ names: Names) -> String {
        "Delete the webhook \(target.webhook)? Its receiver is told of nothing more."
    }

    var success: String { "Deleted the webhook \(target.webhook)." }

    func request(_ names: Names) async throws -> Request<Void> {
        let webhook = try await names.webhook(target)
        return Request { client throws(MortiseError) in
            try await client.webhooks(of: webhook.organization).delete(webhook.id)
        }
    }
}
