public import JSON
public import Keys

/// The settings of a key to be created, each in a type that holds only what is allowed.
public struct KeyDraft: Sendable {
    /// The name, 1 to 255 characters.
    public var name: String
    /// The description.
    public var description: String?
    /// The kind.
    public var kind: KeyKind
    /// The mode, live or test; `nil` takes the mode of the caller's key, and live if the caller has none.
    public var mode: KeyMode?
    /// The scopes, in the application's words.
    public var scopes: [Scope]
    /// The permissions of an admin or operator key.
    public var permissions: PermissionSet
    /// The namespaces in which the key verifies; `nil` means all.
    public var allowedNamespaces: [String]?
    /// The addresses from which the key verifies; empty means all.
    public var allowedAddresses: [AddressRange]
    /// The maximum number of verifications per minute; `nil` means no limit.
    public var rateLimitPerMinute: Int?
    /// The maximum number of verifications per hour; `nil` means no limit.
    public var rateLimitPerHour: Int?
    /// The key's expiry.
    public var expiry: KeyExpiry
    /// True if the expiry can have passed, which creates an expired key.
    ///
    /// Defaults to false.
    public var acceptsPastExpiry = false
    /// The owner's data, as the text of a JSON object.
    public var metadata: String
    /// The subject of a client key.
    ///
    /// It is required unless the collection is confined to a subject.
    public var subject: String?
    /// The application's label for a client key, 1 to 64 characters.
    public var type: String?
    /// The application's claims about the subject of a client key, at most 16 KiB.
    public var claims: JSONValue?
    /// The token's prefix, in place of the collection's or the kind's.
    public var tokenPrefix: TokenPrefix?
    /// The creator that the key shows; the caller by default.
    ///
    /// Events name the caller in any case.
    public var createdBy: String?
    /// The uniqueness of the name.
    ///
    /// By default only client keys can share a name.
    public var uniqueness: NameUniqueness?

    /// Creates a draft.
    public init(
        name: String,
        description: String? = nil,
        kind: KeyKind,
        mode: KeyMode? = nil,
        scopes: [Scope] = [],
        permissions: PermissionSet = [],
        allowedNamespaces: [String]? = nil,
        allowedAddresses: [AddressRange] = [],
        rateLimitPerMinute: Int? = nil,
        rateLimitPerHour: Int? = nil,
        expiresAt: Timestamp? = nil,
        metadata: String = "{}"
    ) {
        self.name = name
        self.description = description
        self.kind = kind
        self.mode = mode
        self.scopes = scopes
        self.permissions = permissions
        self.allowedNamespaces = allowedNamespaces
        self.allowedAddresses = allowedAddresses
        self.rateLimitPerMinute = rateLimitPerMinute
        self.rateLimitPerHour = rateLimitPerHour
        expiry = expiresAt.map { .at($0) } ?? .never
        self.metadata = metadata
    }
}

/// The expiry of a key.
public enum KeyExpiry: Sendable, Hashable {
    /// The key does not expire.
    case never
    /// The key expires at an instant, which must be in the future.
    case at(Timestamp)
    /// The key expires after a time that begins with the change, by the database's clock.
    case after(Duration)
}

extension KeyExpiry {
    /// Returns the instant of the expiry, or `nil` for never.
    func instant(from now: Timestamp) -> Timestamp? {
        switch self {
        case .never: nil
        case .at(let instant): instant
        case .after(let lifetime): now + lifetime
        }
    }
}

/// The uniqueness of names among the keys of one owner.
public enum NameUniqueness: Sendable {
    /// Keys can share a name.
    case none
    /// A name belongs to one key: until the key is revoked in a workspace, an organization or the platform, and until
    /// it is deleted for a subject.
    case unique
}

/// The effect of a change on one setting.
public enum Setting<Value: Sendable>: Sendable {
    /// The setting stays.
    case keep
    /// The setting takes this value.
    case set(Value)
}

/// A change of a key's settings.
///
/// A setting that is not mentioned stays.
public struct KeyPatch: Sendable {
    /// The name.
    public var name: Setting<String> = .keep
    /// The description.
    public var description: Setting<String?> = .keep
    /// The scopes.
    public var scopes: Setting<[Scope]> = .keep
    /// The permissions of an admin or operator key.
    public var permissions: Setting<PermissionSet> = .keep
    /// The namespaces in which the key verifies.
    public var allowedNamespaces: Setting<[String]?> = .keep
    /// The addresses from which the key verifies.
    public var allowedAddresses: Setting<[AddressRange]> = .keep
    /// The maximum number of verifications per minute.
    public var rateLimitPerMinute: Setting<Int?> = .keep
    /// The maximum number of verifications per hour.
    public var rateLimitPerHour: Setting<Int?> = .keep
    /// The key's expiry.
    public var expiry: Setting<KeyExpiry> = .keep
    /// The owner's data.
    public var metadata: Setting<String> = .keep
    /// The subject of a client key, unless the collection is confined to a subject.
    public var subject: Setting<String> = .keep
    /// The application's claims about the subject of a client key.
    public var claims: Setting<JSONValue?> = .keep
    /// True to enable the key, false to disable it.
    public var isEnabled: Setting<Bool> = .keep

    /// Creates a patch that changes nothing.
    public init() {}
}
