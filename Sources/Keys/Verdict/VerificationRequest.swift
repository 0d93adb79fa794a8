/// The demands on a token, beyond that it must be genuine.
public struct VerificationRequest: Sendable, Hashable {
    /// The scopes that the key must cover.
    ///
    /// Empty demands none.
    public var scopes: [Scope]
    /// The address from which the token was used.
    ///
    /// `nil` if it is unknown.
    public var address: IPAddress?
    /// The mode that the key must have.
    ///
    /// `nil` accepts either.
    public var mode: KeyMode?
    /// The namespace that the key is used for.
    ///
    /// `nil` is the default namespace.
    public var namespace: String?
    /// True if the key is used for something outside of all namespaces, so that ``namespace`` is not checked.
    public var isOutsideNamespaces = false

    /// Creates a request.
    ///
    /// By default it demands nothing.
    public init(scopes: [Scope] = [], address: IPAddress? = nil, mode: KeyMode? = nil, namespace: String? = nil) {
        self.scopes = scopes
        self.address = address
        self.mode = mode
        self.namespace = namespace
    }
}
