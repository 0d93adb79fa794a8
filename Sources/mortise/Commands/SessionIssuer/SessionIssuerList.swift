import ArgumentParser
import MortiseClient

/// The `mortise session-issuer list` command.
struct SessionIssuerList: ListCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the session issuers of an organization, newest first.",
        discussion: HelpText.discussion(
            "--wide also shows the ids, the accepted audiences and algorithms, and the creation times.",
            needs: HelpText.operatorKey,
            examples: ["session-issuer list --organization acme", "session-issuer list --organization acme --json"]
        )
    )

    @OptionGroup(title: "Organization")
    var place: OrganizationOptions

    @OptionGroup
    var options: ListOptions

    func columns(_ names: Names, isWide: Bool) -> [TableColumn<Mortise.SessionIssuer>] {
        let id = isWide ? [TableColumn<Mortise.SessionIssuer>("ID") { $0.id }] : []
        let more: [TableColumn<Mortise.SessionIssuer>] =
            isWide
            ? [
                TableColumn("AUDIENCES", minimum: 8) { DisplayText.list($0.audiences) },
                TableColumn("ALGORITHMS", minimum: 8) { DisplayText.list($0.algorithms) },
                .time("CREATED", isWide: true) { $0.createdAt },
            ] : []
        return id + [
            TableColumn("ISSUER", minimum: 12) { $0.issuer },
            TableColumn("KEYS", minimum: 12) {
                $0.hasInlineJWKS ? "stored" : DisplayText.optional($0.jwksURL ?? $0.jwksFile)
            },
            TableColumn("PARTIES", minimum: 8) { DisplayText.list($0.authorizedParties) },
            TableColumn("READ", minimum: 6) { DisplayText.list($0.readRoles) },
            TableColumn("MANAGE", minimum: 6) { DisplayText.list($0.manageRoles) },
        ] + more
    }

    func list(_ names: Names) async throws -> @Sendable (Mortise) -> PageSequence<Mortise.SessionIssuer> {
        let organization = try await names.organization(place.organization)
        let limit = options.pages.limit
        return { $0.sessionIssuers(of: organization).list(limit: limit) }
    }
}
