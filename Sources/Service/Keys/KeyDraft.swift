public import JSON
public import Keys

/// A key to be made: everything that can be chosen, each in a type that only holds what is allowed.
public struct KeyDraft: Sendable {
    /// What people call it; 1 to 255 characters.
    public var name: String
    /// What it is for.
    public var description: String?
    /// Which kind.
    public var kind: KeyKind
    /// Live or test.
    public var mode: KeyMode
    /// What it may do, in the application's words.
    public var scopes: [Scope]
    /// What it may do here; for admin and operator keys.
    public var permissions: PermissionSet
    /// Where it may be used; `nil` is everywhere.
    public var allowedNamespaces: [String]?
    /// Whence it may be used; empty is from everywhere.
    public var allowedAddresses: [AddressRange]
    /// Verifications per minute.
    public var rateLimitPerMinute: Int?
    /// Verifications per hour.
    public var rateLimitPerHour: Int?
    /// When it ends; must be in the future.
    public var expiresAt: Timestamp?
    /// The owner's data: JSON text of an object.
    public var metadata: String
    /// Whose it will be; for client keys, and needed where their home is not one subject's already.
    public var subject: String?
    /// A label of the application's, 1 to 64 characters; for client keys.
    public var type: String?
    /// What the application says about the subject, 16 KiB at most; for client keys.
    public var claims: JSONValue?
    /// What the token begins with, in place of what the home or the kind would give.
    public var tokenPrefix: TokenPrefix?
    /// Who made it, as the key shows it; the caller by default.
    ///
    /// Events name the caller in any case.
    public var createdBy: String?
    /// Whether another key may have the name; by default only client keys may share one.
    public var uniqueness: NameUniqueness?
    /// How long it lives, in place of `expiresAt`: counted from the database's time when the key is made.
    public var lifetime: Duration?

    /// Describes a key.
    public init(
        name: String,
        description: String? = nil,
        kind: KeyKind,
        mode: KeyMode = .live,
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
        self.expiresAt = expiresAt
        self.metadata = metadata
    }
}

/// Whether two keys of one owner may have the same name.
public enum NameUniqueness: Sendable {
    /// They may.
    case none
    /// They may not: of a workspace, an organization or the platform until the key is revoked, of a subject until it is deleted.
    case unique
}

/// What a change does to one setting.
public enum Setting<Value: Sendable>: Sendable {
    /// It stays.
    case keep
    /// It takes this value.
    case set(Value)
}

/// A change to a key's settings; what is not mentioned stays.
public struct KeyPatch: Sendable {
    /// The name.
    public var name: Setting<String> = .keep
    /// What it is for.
    public var description: Setting<String?> = .keep
    /// What it may do.
    public var scopes: Setting<[Scope]> = .keep
    /// What it may do here.
    public var permissions: Setting<PermissionSet> = .keep
    /// Where it may be used.
    public var allowedNamespaces: Setting<[String]?> = .keep
    /// Whence it may be used.
    public var allowedAddresses: Setting<[AddressRange]> = .keep
    /// Verifications per minute.
    public var rateLimitPerMinute: Setting<Int?> = .keep
    /// Verifications per hour.
    public var rateLimitPerHour: Setting<Int?> = .keep
    /// When it ends.
    public var expiresAt: Setting<Timestamp?> = .keep
    /// The owner's data.
    public var metadata: Setting<String> = .keep
    /// Whose it is; for client keys, and not where their home is one subject's.
    public var subject: Setting<String> = .keep
    /// What the application says about the subject; for client keys.
    public var claims: Setting<JSONValue?> = .keep
    /// Whether it is switched on.
    public var isEnabled: Setting<Bool> = .keep
    /// How long it lives from now on, in place of `expiresAt`.
    public var lifetime: Duration?

    /// A change that changes nothing yet.
    public init() {}
}
