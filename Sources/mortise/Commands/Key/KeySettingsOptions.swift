import ArgumentParser
import FoundationEssentials
import MortiseClient

/// The settings of a key, which a command creates or changes.
struct KeySettingsOptions: ParsableArguments {
    @Option(help: "The purpose of the key. (default of a new key: none)")
    var description: String?

    @Option(help: "A scope of the key: *, verb:resource or verb:*. Repeatable. (default of a new key: none)")
    var scope: [String] = []

    @Option(
        help: ArgumentHelp(
            "A permission of an admin or operator key, such as keys:read. Repeatable. (default of a new key: none)",
            valueName: "name"
        )
    )
    var permission: [String] = []

    @OptionGroup
    var namespaces: NamespaceOptions

    @Option(
        name: .customLong("allow-ip"),
        help: ArgumentHelp(
            "An address or CIDR range that the key works from. Repeatable. (default of a new key: every address)",
            valueName: "address"
        )
    )
    var allowIP: [String] = []

    @Option(
        help: ArgumentHelp(
            "The maximum number of uses per minute. (default of a new key: unlimited)",
            valueName: "count"
        )
    )
    var rateLimitPerMinute: Int?

    @Option(
        help: ArgumentHelp("The maximum number of uses per hour. (default of a new key: unlimited)", valueName: "count")
    )
    var rateLimitPerHour: Int?

    @OptionGroup
    var expiry: ExpiryOptions

    @OptionGroup
    var metadata: MetadataOptions

    /// Returns a new key with these settings.
    func draft(name: String, _ identity: KeyIdentityOptions) async throws -> Mortise.KeyDraft {
        Mortise.KeyDraft(
            name: name,
            subject: identity.subject,
            type: identity.type,
            mode: identity.mode.map(Mortise.Key.Mode.init),
            description: description,
            scopes: scope,
            permissions: permission,
            allowedNamespaces: namespaces.list,
            allowedAddresses: allowIP,
            rateLimitPerMinute: rateLimitPerMinute,
            rateLimitPerHour: rateLimitPerHour,
            expiresAt: expiry.time(),
            metadata: try await metadata.read() ?? [:]
        )
    }

    /// Returns the changes that these settings make to a key.
    func changes(name: String?) async throws -> Mortise.KeyChanges {
        var changes = Mortise.KeyChanges()
        changes.name = name
        changes.description = Change(description)
        changes.scopes = Change(scope.isEmpty ? nil : scope)
        changes.permissions = Change(permission.isEmpty ? nil : permission)
        changes.allowedNamespaces = Change(namespaces.list)
        changes.allowedAddresses = Change(allowIP.isEmpty ? nil : allowIP)
        changes.rateLimitPerMinute = Change(rateLimitPerMinute)
        changes.rateLimitPerHour = Change(rateLimitPerHour)
        changes.expiresAt = Change(expiry.time())
        changes.metadata = Change(try await metadata.read())
        return changes
    }
}

/// The namespaces that a key works in.
struct NamespaceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A namespace that the key works in. Repeatable. (default of a new key: every namespace)",
            valueName: "name"
        )
    )
    var namespace: [String] = []

    @Flag(help: "Let the key work in the default namespace only.")
    var defaultNamespaceOnly = false

    func validate() throws {
        guard namespace.isEmpty || !defaultNamespaceOnly else {
            throw ValidationError("Use --namespace or --default-namespace-only, not both.")
        }
    }

    /// The namespaces.
    ///
    /// `nil` if none were named, empty for the default namespace alone.
    var list: [String]? { namespace.isEmpty && !defaultNamespaceOnly ? nil : namespace }
}

/// The time at which a key expires.
struct ExpiryOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The expiry time (RFC 3339), such as 2030-01-31T00:00:00Z. (default of a new key: never)",
            valueName: "time"
        )
    )
    var expiresAt: PointInTime?

    @Option(
        help: ArgumentHelp("The time until the key expires, such as 90d, 12h, 30m or 45s.", valueName: "duration")
    )
    var expiresIn: LengthOfTime?

    func validate() throws {
        guard expiresAt == nil || expiresIn == nil else {
            throw ValidationError("Use --expires-at or --expires-in, not both.")
        }
    }

    /// Returns the expiry time.
    ///
    /// With `--expires-in` it is counted from now, in whole seconds.
    func time() -> Date? {
        guard let expiresIn else { return expiresAt?.date }
        let now = Date().timeIntervalSince1970.rounded(.down)
        return Date(timeIntervalSince1970: now + Double(expiresIn.seconds))
    }
}
