import ArgumentParser
import MortiseClient

/// The `mortise webhook` commands.
struct WebhookCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhook",
        abstract: "Manage webhooks, which tell a URL of events: list, create, rotate, test and others.",
        discussion: HelpText.reflowed(
            """
            A webhook sends each event of an organization, or of one workspace, to a URL. The requests are signed as
            standardwebhooks.com describes. A request that fails is repeated for 30 hours.
            """
        ),
        subcommands: [
            WebhookList.self, WebhookGet.self, WebhookCreate.self, WebhookUpdate.self, WebhookEnable.self,
            WebhookDisable.self, WebhookRotateSecret.self, WebhookTest.self, WebhookDeliveries.self, WebhookRetry.self,
            WebhookDelete.self,
        ]
    )

    /// The needs of the commands that change a webhook.
    static let needs = "a running server, and an admin key with webhooks:write (MORTISE_TOKEN or --token-file)"
    /// The needs of the commands that show webhooks.
    static let readingNeeds = "a running server, and an admin key with webhooks:read (MORTISE_TOKEN or --token-file)"
}

/// The webhook that a command is about.
struct WebhookTarget: ParsableArguments {
    @Argument(help: ArgumentHelp("The id of the webhook, as `mortise webhook list` shows it.", valueName: "id"))
    var id: String

    @OptionGroup(title: "Organization")
    var place: OrganizationOptions

    /// Returns the calls for the webhooks of the organization.
    func webhooks(_ client: Mortise) -> Mortise.Webhooks { client.webhooks(of: place.organization) }
}
