import ArgumentParser
import MortiseClient

/// The `mortise webhook enable` command.
struct WebhookEnable: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable",
        abstract: "Enable a webhook.",
        discussion: HelpText.discussion(
            "Deliveries that wait for an attempt go on. Events of the time in between are not sent.",
            needs: WebhookCommand.needs,
            examples: ["webhook enable ID --organization acme"]
        )
    )

    @OptionGroup
    var target: WebhookTarget

    @OptionGroup
    var options: CallOptions

    func request() -> Request<Mortise.Webhook> {
        Request { client throws(MortiseError) in try await target.webhooks(client).enable(target.id) }
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
            examples: ["webhook disable ID --organization acme"]
        )
    )

    @OptionGroup
    var target: WebhookTarget

    @OptionGroup
    var options: CallOptions

    func request() -> Request<Mortise.Webhook> {
        Request { client throws(MortiseError) in try await target.webhooks(client).disable(target.id) }
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
            examples: ["webhook rotate-secret ID --organization acme"]
        )
    )

    @OptionGroup
    var target: WebhookTarget

    @OptionGroup
    var options: CallOptions

    func request() -> Request<Mortise.RevealedWebhook> {
        Request { client throws(MortiseError) in try await target.webhooks(client).rotateSecret(target.id) }
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
            examples: ["webhook test ID --organization acme"]
        )
    )

    @OptionGroup
    var target: WebhookTarget

    @OptionGroup
    var options: CallOptions

    var success: String { "The test event will be sent." }

    func request() -> Request<Void> {
        Request { client throws(MortiseError) in try await target.webhooks(client).test(target.id) }
    }
}

/// The `mortise webhook retry` command.
struct WebhookRetry: ActionCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Send a delivery again.",
        discussion: HelpText.discussion(
            "An attempt is made soon, also after the last attempt or an accepted one.",
            needs: WebhookCommand.needs,
            examples: ["webhook retry ID --delivery ID --organization acme"]
        )
    )

    @OptionGroup
    var target: WebhookTarget

    @Option(help: ArgumentHelp("The delivery, by its id.", valueName: "id"))
    var delivery: String

    @OptionGroup
    var options: CallOptions

    var success: String { "The delivery will be sent." }

    func request() -> Request<Void> {
        Request { client throws(MortiseError) in try await target.webhooks(client).retry(delivery, of: target.id) }
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
            examples: ["webhook delete ID --organization acme", "webhook delete ID --organization acme --yes"]
        )
    )

    @OptionGroup
    var target: WebhookTarget

    @OptionGroup
    var options: ConfirmedOptions

    var question: String { "Delete the webhook \(target.id)? Its receiver is told of nothing more." }

    var success: String { "Deleted." }

    func request() -> Request<Void> {
        Request { client throws(MortiseError) in try await target.webhooks(client).delete(target.id) }
    }
}
