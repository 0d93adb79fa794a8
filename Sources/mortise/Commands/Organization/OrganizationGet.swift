import ArgumentParser
import MortiseClient

struct OrganizationGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show one organization.",
        discussion: HelpText.discussion(
            "Everything that the server tells of it.",
            needs: HelpText.operatorKey,
            examples: ["organization get 0198c0de-0000-7000-8000-000000000001"]
        )
    )

    @Argument(help: "The organization's id.")
    var organization: String

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func run() async throws {
        try await connection.show(.get(["v1", "organizations", organization]), output)
    }
}
