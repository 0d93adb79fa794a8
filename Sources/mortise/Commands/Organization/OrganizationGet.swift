import ArgumentParser
import MortiseClient

/// The `mortise organization get` command.
struct OrganizationGet: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show an organization.",
        discussion: HelpText.discussion(
            "Prints the properties of the organization that have a value. --wide prints all.",
            needs: HelpText.operatorKey,
            examples: ["organization get acme", "organization get 0198c0de-0000-7000-8000-000000000001 --json"]
        )
    )

    @OptionGroup
    var target: OrganizationArgument

    @OptionGroup
    var options: CallOptions

    func request(_ names: Names) async throws -> Request<Mortise.Organization> {
        let organization = try await names.organization(target.organization)
        return Request { client throws(MortiseError) in try await client.organizations.get(organization) }
    }
}
