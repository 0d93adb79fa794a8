public import FoundationEssentials
public import Keys

/// One key as its workspace's database holds it: settings, lifecycle and secrets, never a token or a digest.
public struct KeyRecord: Sendable {
    /// The key's identity, which outlives every secret.
    public var id: UUID
    /// What kind of door it opens; fixed.
    public var kind: KeyKind
    /// The organization that owns an admin key; `nil` for every other kind, whose owner is the workspace.
    public var organizationID: UUID?
    /// Whose it is, in the application's own words; of client keys only.
    public var subject: String?
    /// A label of the application's; of client keys only.
    public var type: String?
    /// What people call it.
    public var name: String
    /// What its owner's keys must not have twice; `nil` where names may occur twice, and once the name is free again.
    public var uniqueName: String?
    /// What it is for.
    public var description: String?
    /// Live or test; fixed.
    public var mode: KeyMode
    /// What it may do, in the application's own words.
    public var scopes: [String]
    /// What it may do here, for admin and operator keys.
    public var permissions: [String]
    /// The namespaces it may be used in; `nil` is all of them.
    public var allowedNamespaces: [String]?
    /// The addresses it may be used from, in canonical form; empty is all of them.
    public var allowedAddresses: [String]
    /// Verifications per minute; `nil` is unlimited.
    public var rateLimitPerMinute: Int?
    /// Verifications per hour; `nil` is unlimited.
    public var rateLimitPerHour: Int?
    /// When it ends by itself.
    public var expiresAt: Timestamp?
    /// The owner's own data, as JSON text of an object.
    public var metadata: String
    /// What the application says about the subject, as JSON text; of client keys only.
    public var claims: String?
    /// Since when it is switched off.
    public var disabledAt: Timestamp?
    /// Since when its end is announced.
    public var deprecatedAt: Timestamp?
    /// Why it was deprecated.
    public var deprecationReason: String?
    /// When the announced end comes.
    public var gracePeriodEndsAt: Timestamp?
    /// Set when it was ended by a change of state rather than by the clock.
    public var endedAt: Timestamp?
    /// Since when it is revoked, for good.
    public var revokedAt: Timestamp?
    /// Who revoked it.
    public var revokedBy: String?
    /// Why it was revoked.
    public var revocationReason: String?
    /// The key that took its place, where a dialect rotates by making a new one.
    public var replacedBy: UUID?
    /// Who made it.
    public var createdBy: String
    /// When it was made.
    public var createdAt: Timestamp
    /// When a setting or its state last changed.
    public var updatedAt: Timestamp

    /// A key as it begins: restricted by nothing, with no secret.
    public init(
        id: UUID,
        kind: KeyKind,
        organizationID: UUID?,
        name: String,
        mode: KeyMode,
        createdBy: String,
        createdAt: Timestamp
    ) {
        self.id = id
        self.kind = kind
        self.organizationID = organizationID
        self.name = name
        self.mode = mode
        scopes = []
        permissions = []
        allowedAddresses = []
        metadata = "{}"
        self.createdBy = createdBy
        self.createdAt = createdAt
        updatedAt = createdAt
    }

    /// Every secret it ever had, newest first.
    var allSecrets: [SecretRecord] = []

    /// Its secrets that can still open it, newest first: one, or two while it is being rotated.
    public var secrets: [SecretRecord] { allSecrets.filter(\.isLive) }

    /// When one of its secrets was last used, to the batch interval of the usage recorder.
    public var lastUsedAt: Timestamp? { allSecrets.compactMap(\.lastUsedAt).max() }

    /// What its tokens begin with, up to the first `_`; more than one where that was changed between two secrets.
    public var tokenPrefixes: Set<TokenPrefix> {
        Set(
            allSecrets.compactMap { secret in
                secret.prefix.split(separator: "_").first.flatMap { TokenPrefix(String($0)) }
            }
        )
    }

    /// The first characters of the newest token.
    public var prefix: String { allSecrets.first?.prefix ?? "" }
}

/// One secret of a key, without the secret.
public struct SecretRecord: Sendable {
    /// The secret's identity.
    public var id: UUID
    /// The first characters of its token.
    public var prefix: String
    /// When it was made.
    public var createdAt: Timestamp
    /// When it ends, after a rotation; `nil` while it is the newest.
    public var endsAt: Timestamp?
    /// When it was last used.
    public var lastUsedAt: Timestamp?
    /// Whether it can still open its key.
    var isLive: Bool
}

extension KeyRecord {
    /// What has happened to it, and when its time ends.
    public var lifecycle: KeyLifecycle {
        KeyLifecycle(
            revokedAt: revokedAt,
            expiresAt: expiresAt,
            deprecatedAt: deprecatedAt,
            graceEndsAt: gracePeriodEndsAt,
            isEnded: endedAt != nil,
            isDisabled: disabledAt != nil
        )
    }

    /// The status at an instant.
    public func status(at now: Timestamp) -> KeyStatus { lifecycle.status(at: now) }
}
