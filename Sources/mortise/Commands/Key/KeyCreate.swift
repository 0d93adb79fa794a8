import ArgumentParser
import MortiseClient

/// The `mortise key create` command.
struct KeyCreate: NewTokenCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create a key and show its token once.",
        discussion: HelpText.discussion(
            """
            Without --show-token or --token-out, nothing is created, because the token would be lost. With --quiet, --show-token
            prints the token alone, for a pipe.
            """,
            needs: HelpText.adminKey,
            examples: [
                "key create CI --workspace shop --scope read:orders --token-out ci.key",
                "key create site --workspace shop --type anon --rate-limit-per-minute 60 --show-token",
                "key create phone --workspace shop --client --subject user_42 --expires-in 90d --show-token",
                "key create auditor --organization acme --permission keys:read --permission events:read --token-out a.key",
                "key create deploy --workspace shop --show-token --quiet | vault-tool put deploy -",
            ]
        )
    )

    @Argument(help: "The display name of the key.")
    var name: String

    @OptionGroup(title: "Key owner (exactly one)")
    var owner: KeyOwnerOptions

    @OptionGroup(title: "Key identity (never changes)")
    var identity: KeyIdentityOptions

    @OptionGroup(title: "Key settings")
    var settings: KeySettingsOptions

    @OptionGroup
    var options: NewTokenOptions

    func validate() throws {
        guard owner.client == (identity.subject != nil) else {
            throw ValidationError("--client and --subject require each other: a client key belongs to a subject.")
        }
        try options.call.connection.check(settings.metadata.metadataFile, of: "--metadata-file")
    }

    func request(_ names: Names, idempotencyKey: String) async throws -> Request<NewToken> {
        let collection = try await names.collection(owner)
        let draft = try await settings.draft(name: name, identity)
        // A repetition must send the same body, so --expires-in must not be counted again.
        let expiry = settings.expiry.expiresIn.flatMap { _ in draft.expiresAt }
        let changedOptions = expiry.map { " and --expires-at \($0.rfc3339) instead of --expires-in" }
        return Request(changedOptions: changedOptions ?? "") { client throws(MortiseError) in
            let issued = try await client.keys(collection).create(draft, idempotencyKey: idempotencyKey)
            return NewToken(id: issued.key.id, token: issued.token, report: report(issued.key))
        }
    }

    private func report(_ key: Mortise.Key) -> Report {
        let use =
            owner.workspace == nil
            ? "Use it as the credential of a command: `mortise whoami --token-file FILE`."
            : "Verify it with an admin key: `mortise verify --from FILE`."
        return Report(
            sentence: "Created the \(owner.noun) \(key.name).",
            members: [
                "id", "subject", "mode", "scopes", "permissions", "allowed_namespaces", "allowed_ips",
                "rate_limit_per_minute", "rate_limit_per_hour", "expires_at",
            ],
            next: [use]
        )
    }
}
