public import FoundationEssentials

/// The state of a key and of the presented secret, with everything that a decision needs.
public struct KeyState: Sendable, Hashable {
    /// The id of the key.
    public var keyID: UUID
    /// The id of the presented secret.
    public var secretID: UUID
    /// The reference of the workspace whose database holds the key.
    public var workspaceRef: WorkspaceRef
    /// True if the workspace is active, which means neither suspended nor archived.
    public var workspaceIsActive: Bool
    /// The kind of the key.
    public var kind: KeyKind
    /// The mode of the key: live or test traffic.
    public var mode: KeyMode
    /// The lifecycle of the key.
    public var lifecycle: KeyLifecycle
    /// The lifetime of the presented secret.
    public var secret: SecretLifetime
    /// The scopes of the key.
    public var scopes: ScopeSet
    /// The namespaces that the key may be used for.
    public var namespaces: NamespaceRule
    /// The addresses that the key may be used from.
    ///
    /// Empty means any address.
    public var addressRanges: [AddressRange]
    /// The rate limits of the key.
    public var rateLimits: RateLimits

    /// Creates the state of a key.
    ///
    /// By default the key has no restriction and no scope.
    public init(
        keyID: UUID,
        secretID: UUID,
        workspaceRef: WorkspaceRef,
        workspaceIsActive: Bool,
        kind: KeyKind,
        mode: KeyMode,
        lifecycle: KeyLifecycle = KeyLifecycle(),
        secret: SecretLifetime = SecretLifetime(),
        scopes: ScopeSet = ScopeSet([]),
        namespaces: NamespaceRule = .unrestricted,
        addressRanges: [AddressRange] = [],
        rateLimits: RateLimits = .unlimited
    ) {
        self.keyID = keyID
        self.secretID = secretID
        self.workspaceRef = workspaceRef
        self.workspaceIsActive = workspaceIsActive
        self.kind = kind
        self.mode = mode
        self.lifecycle = lifecycle
        self.secret = secret
        self.scopes = scopes
        self.namespaces = namespaces
        self.addressRanges = addressRanges
        self.rateLimits = rateLimits
    }

    /// Returns the status of the key at `now`, whichever of its secrets was presented.
    public func status(at now: Timestamp) -> KeyStatus { lifecycle.status(at: now) }

    /// The first instant at which the presented secret stops working, which a `Sunset` header announces.
    public var endsAt: Timestamp? { earlier(lifecycle.endsAt, secret.endsAt) }

    /// Returns true if the key may be used from `address`.
    ///
    /// `nil` is an unknown address.
    public func allows(address: IPAddress?) -> Bool {
        if addressRanges.isEmpty { return true }
        guard let address else { return false }
        return addressRanges.contains { $0.contains(address) }
    }
}
