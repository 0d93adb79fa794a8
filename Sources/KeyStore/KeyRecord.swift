public import FoundationEssentials
public import Keys

/// A key as its database holds it: settings, lifecycle and secrets, without any token or digest.
public struct KeyRecord: Sendable {
    /// The key's id, which outlives every secret.
    public var id: UUID
    /// The key's kind.
    ///
    /// Immutable.
    public var kind: KeyKind
    /// The organization that owns an admin key; `nil` for every other kind.
    public var organizationID: UUID?
    /// The subject that owns a client key, in the application's words; `nil` for other keys.
    public var subject: String?
    /// The application's label for a client key; `nil` for other keys.
    public var type: String?
    /// The name.
    public var name: String
    /// The name that no other key of the owner can have; `nil` if names can repeat, and once the name is free again.
    public var uniqueName: String?
    /// The description.
    public var description: String?
    /// The mode, live or test.
    ///
    /// Immutable.
    public var mode: KeyMode
    /// The scopes, in the application's words.
    public var scopes: [String]
    /// The permissions of an admin or operator key.
    public var permissions: [String]
    /// The namespaces in which the key verifies; `nil` means all.
    public var allowedNamespaces: [String]?
    /// The addresses from which the key verifies, in canonical form; empty means all.
    public var allowedAddresses: [String]
    /// The maximum number of verifications per minute; `nil` means no limit.
    public var rateLimitPerMinute: Int?
    /// The maximum number of verifications per hour; `nil` means no limit.
    public var rateLimitPerHour: Int?
    /// The time at which the key expires; `nil` means never.
    public var expiresAt: Timestamp?
    /// The owner's data, as the text of a JSON object.
    public var metadata: String
    /// The application's claims about the subject of a client key, as JSON text.
    public var claims: String?
    /// The time at which the key was disabled; `nil` while it is enabled.
    public var disabledAt: Timestamp?
    /// The time at which the key was deprecated.
    public var deprecatedAt: Timestamp?
    /// The reason for the deprecation.
    public var deprecationReason: String?
    /// The time at which a deprecated key expires.
    public var gracePeriodEndsAt: Timestamp?
    /// The time at which a grace period of zero ended the key.
    ///
    /// It is a change of state, so no clock decides.
    public var endedAt: Timestamp?
    /// The time at which the key was revoked.
    public var revokedAt: Timestamp?
    /// The actor that revoked the key.
    public var revokedBy: String?
    /// The reason for the revocation.
    public var revocationReason: String?
    /// The key that replaced this key, in dialects that rotate by creating another key.
    public var replacedBy: UUID?
    /// The id under which uses count for rate limits: that of the first key in a chain of replacements; `nil` is the
    /// key's own.
    public var limitID: UUID?
    /// The restrictions of a client key or an admin key that keep the rank of the caller who set them: a setting's name and the rank.
    public var holds: [String: String] = [:]
    /// The creator.
    public var createdBy: String
    /// The time of the key's creation.
    public var createdAt: Timestamp
    /// The time of the last change of a setting or of the state.
    public var updatedAt: Timestamp

    /// Creates a key without restrictions and without a secret.
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
        readAt = createdAt
    }

    /// The database's time at which the key was read or written.
    ///
    /// Every status of the key goes by it, so that a node's own clock decides nothing.
    public var readAt: Timestamp

    /// All secrets that the key ever had, newest first.
    var allSecrets: [SecretRecord] = []

    /// The secrets that are still good, newest first: one, or two during a rotation.
    public var secrets: [SecretRecord] { allSecrets.filter(\.isLive) }

    /// Returns the first characters of the token of a secret; `nil` if the key does not have the secret any more.
    public func prefix(of secret: UUID) -> String? { allSecrets.first { $0.id == secret }?.prefix }

    /// The time at which one of the secrets was last used, as of the last flush of usage.
    public var lastUsedAt: Timestamp? { lastUse?.at }

    /// The last known address of the clients that used the key, as of the last flush of usage.
    public var lastUsedAddress: IPAddress? { lastUse?.address }

    private var lastUse: KeyUse? { allSecrets.map(\.lastUse).reduce(nil, KeyUse.later) }

    /// Returns the key with later uses of its secrets than those of the last flush.
    ///
    /// - Parameter lastUse: Returns the last use of a secret, or `nil` if it is unknown.
    /// - Returns: The key.
    public func merging(usesBy lastUse: (_ secretID: UUID) -> KeyUse?) -> KeyRecord {
        var key = self
        for index in allSecrets.indices {
            key.allSecrets[index].lastUse = KeyUse.later(allSecrets[index].lastUse, lastUse(allSecrets[index].id))
        }
        return key
    }

    /// The prefixes of the key's tokens, up to the first `_`.
    ///
    /// There are several if the prefix changed between two secrets.
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

/// A secret of a key, without the secret itself.
public struct SecretRecord: Sendable {
    /// The secret's id.
    public var id: UUID
    /// The first characters of the token.
    public var prefix: String
    /// The time of the secret's creation.
    public var createdAt: Timestamp
    /// The time at which a replaced secret ends; `nil` for the newest secret.
    public var endsAt: Timestamp?
    /// The last use of the secret.
    public var lastUse: KeyUse?
    /// True if the secret was still good at the time of the read.
    var isLive: Bool
}

extension KeyRecord {
    /// The key's lifecycle.
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

    /// The status at the time of the read, by the database's clock.
    public var status: KeyStatus { status(at: readAt) }

    /// Returns the status at an instant.
    public func status(at now: Timestamp) -> KeyStatus { lifecycle.status(at: now) }
}
