import ArgumentParser
import MortiseClient

/// The `mortise organization delete` command.
struct OrganizationDelete: ActionCommand, ConfirmedCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete an organization, its default workspace and its admin keys.",
        discussion: HelpText.discussion(
            """
            The default workspace must be suspended, and the other workspaces must be deleted. The members lose their roles, and
            the session issuers are no longer trusted. Events stay. Asks for confirmation.
            """,
            needs: HelpText.operatorKey,
            examples: ["organization delete acme", "organization delete acme --yes"]
        )
    )

    @OptionGroup
    var target: OrganizationArgument

    @OptionGroup
    var options: ConfirmedOptions

    func question(_ names: Names) -> String {
        "Delete the organization \(target.organization), its default workspace, its keys and its members? This cannot be undone."
    }

    var success: String { "Deleted the organization \(target.organization)." }

    func request(_ names: Names) async throws -> Request<Void> {
        let organization = try await names.organization(target.organization)
        return Request { client throws(MortiseError) in try await client.organizations.delete(organization) }
    }
}
