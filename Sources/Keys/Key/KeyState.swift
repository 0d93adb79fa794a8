public import FoundationEssentials

/// All that a decision about a key needs, as one row gives it.
public struct KeyState: Sendable, Hashable {
    /// The key.
    public var keyID: UUID
    /// The secret that was presented.
    public var secretID: UUID
    /// The workspace whose database holds the key.
    public var workspaceRef: WorkspaceRef
    /// Whether the workspace is open for business.
    public var workspaceIsActive: Bool
    /// What sort of key it is.
    public var kind: KeyKind
    /// Whether it is for live or test traffic.
    public var mode: KeyMode
    /// What has happened to the key.
    public var lifecycle: KeyLifecycle
    /// How long the presented secret opens it.
    public var secret: SecretLifetime
    /// What it may do.
    public var scopes: ScopeSet
    /// Which namespaces it may be used for.
    public var namespaces: NamespaceRule
    /// Where it may be used from; empty for anywhere.
    public var addressRanges: [AddressRange]
    /// How often it may be used.
    public var rateLimits: RateLimits

    /// A key; by default without any restriction, and without any scope.
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

    /// The status of the key at `now`, whichever of its secrets was presented.
    public func status(at now: Timestamp) -> KeyStatus { lifecycle.status(at: now) }

    /// The first instant at which the presented secret stops working: what a `Sunset` header announces.
    public var endsAt: Timestamp? { earlier(lifecycle.endsAt, secret.endsAt) }

    /// Whether the key may be used from `address`, where `nil` is an address nobody knows.
    public func allows(address: IPAddress?) -> Bool {
        if addressRanges.isEmpty { return true }
        guard let address else { return false }
        return addressRanges.contains { $0.contains(address) }
    }
}
