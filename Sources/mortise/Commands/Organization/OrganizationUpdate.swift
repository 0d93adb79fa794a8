import ArgumentParser
import MortiseClient

/// The `mortise organization update` command.
struct OrganizationUpdate: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change the settings of an organization.",
        discussion: HelpText.discussion(
            """
            Options that are absent change nothing. Tokens depend on neither name nor slug. Existing tokens keep their prefix.
            """,
            needs: """
                a running server, and the operator key. For the options of notices and leaks, an admin key or a member's session with \
                keys:write and webhooks:write in the whole organization suffices (see Connection)
                """,
            examples: [
                "organization update acme --name \"Acme & Sons\"", "organization update acme --clear-token-prefix",
                "organization update acme --leak-action revoke --expiry-notice-days 14",
            ]
        )
    )

    @OptionGroup
    var target: OrganizationArgument

    @Option(help: "The new name.")
    var name: String?

    @Option(help: "The new slug.")
    var slug: String?

    @Option(
        help: "The prefix of new tokens: a lower-case letter and up to three lower-case letters or digits."
    )
    var tokenPrefix: String?

    @Flag(help: "Use Mortise's own prefixes for new tokens.")
    var clearTokenPrefix = false

    @Option(
        help: ArgumentHelp(
            "Days before the end of a key at which the event key.expiring comes. Repeatable; the list replaces the old one.",
            valueName: "days"
        )
    )
    var expiryNoticeDays: [Int] = []

    @Flag(help: "Send key.expiring 30, 7 and 1 days before the end.")
    var clearExpiryNoticeDays = false

    @Option(
        help: ArgumentHelp(
            "The days without a use after which the event key.unused comes; 0 means never.",
            valueName: "days"
        )
    )
    var unusedAfterDays: Int?

    @Flag(help: "Send key.unused after 90 days.")
    var clearUnusedAfterDays = false

    @Option(
        help: ArgumentHelp(
            "The reaction to a leaked token of a workspace's key: notify, quarantine or revoke.",
            valueName: "action"
        )
    )
    var leakAction: String?

    @Flag(help: "Revoke leaked live keys, except publishable ones, and only send key.leaked for others.")
    var clearLeakAction = false

    @OptionGroup
    var options: CallOptions

    private var expiryDays: Change<[Int]> {
        Change(expiryNoticeDays.isEmpty ? nil : expiryNoticeDays, clears: clearExpiryNoticeDays)
    }

    private var unusedDays: Change<Int> { Change(unusedAfterDays, clears: clearUnusedAfterDays) }

    func validate() throws {
        guard
            name != nil || slug != nil || tokenPrefix != nil || clearTokenPrefix || expiryDays != .keep
                || unusedDays != .keep || leakAction != nil || clearLeakAction
        else {
            throw ValidationError.nothingToChange
        }
        guard tokenPrefix == nil || !clearTokenPrefix else {
            throw ValidationError("Use --token-prefix or --clear-token-prefix, not both.")
        }
        guard expiryNoticeDays.isEmpty || !clearExpiryNoticeDays else {
            throw ValidationError("Use --expiry-notice-days or --clear-expiry-notice-days, not both.")
        }
        guard leakAction == nil || !clearLeakAction else {
            throw ValidationError("Use --leak-action or --clear-leak-action, not both.")
        }
        guard unusedAfterDays == nil || !clearUnusedAfterDays else {
            throw ValidationError("Use --unused-after-days or --clear-unused-after-days, not both.")
        }
    }

    func report(_ organization: Mortise.Organization) -> Report {
        Report(sentence: "Changed the organization \(organization.slug).")
    }

    func request(_ names: Names) async throws -> Request<Mortise.Organization> {
        let organization = try await names.organization(target.organization)
        let prefix = Change(tokenPrefix, clears: clearTokenPrefix)
        return Request { client throws(MortiseError) in
            try await client.organizations.update(
                organization,
                name: name,
                slug: slug,
                tokenPrefix: prefix,
                expiryNoticeDays: expiryDays,
                unusedAfterDays: unusedDays,
                leakAction: Change(leakAction, clears: clearLeakAction)
            )
        }
    }
}
