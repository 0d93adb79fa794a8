import ArgumentParser
import MortiseClient

/// The `mortise webhook` commands.
struct WebhookCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhook",
        abstract: "Manage webhooks, which send events to a URL.",
        discussion: HelpText.reflowed(
            """
            A webhook sends each event of an organization, or of one workspace, to a URL. The requests are signed as
            standardwebhooks.com describes. A request that fails is repeated for 30 hours. Name a webhook by its id or by its
            URL.
            """
        ),
        subcommands: [
            WebhookList.self, WebhookGet.self, WebhookCreate.self, WebhookUpdate.self, WebhookEnable.self,
            WebhookDisable.self, WebhookRotateSecret.self, WebhookTest.self, WebhookDeliveries.self, WebhookRetry.self,
            WebhookDelete.self,
        ]
    )

    /// The needs of the commands that change a webhook.
    static let needs = "a running server, and an admin key or a member's session with webhooks:write (see Connection)"
    /// The needs of the commands that decide which events are sent, and where to.
    static let subscribingNeeds = """
        a running server, and an admin key or a member's session with webhooks:write and events:read (see Connection)
        """
    /// The needs of the commands that show webhooks.
    static let readingNeeds =
        "a running server, and an admin key or a member's session with webhooks:read (see Connection)"

    /// Throws if the output would leave out a signing secret, which no later answer has.
    static func checkSecret(_ output: OutputOptions) throws {
        guard !output.quiet else {
            throw ValidationError(
                "The signing secret is shown only once. Use --json instead of --quiet. Nothing was sent."
            )
        }
    }
}

/// The webhook that a command is about.
struct WebhookTarget: ParsableArguments {
    @Argument(help: "The webhook: its id or its URL.")
    var webhook: String

    @OptionGroup(title: "Organization")
    var place: OrganizationOptions
}

extension Report {
    /// The text after a change of a webhook.
    static func changed(_ verb: String, _ webhook: Mortise.Webhook) -> Report {
        Report(
            sentence: "\(verb) the webhook \(webhook.url).",
            members: ["id", "url", "event_types", "workspace_id", "description", "disabled_reason"]
        )
    }

    /// The text after a change that shows a signing secret.
    static func revealed(_ verb: String, _ webhook: Mortise.RevealedWebhook, next: [String]) -> Report {
        var report = Report.changed(verb, webhook.webhook)
        report.object = "webhook"
        report.next = ["Signing secret (shown only once): \(webhook.secret.reveal())"] + next
        return report
    }
}
