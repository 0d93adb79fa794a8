/// What is asked of a token, beyond that it be genuine.
public struct VerificationRequest: Sendable, Hashable {
    /// Everything the key has to be allowed to do; empty asks for nothing.
    public var scopes: [Scope]
    /// Where the token was used; `nil` where that was not said, or was no address.
    public var address: IPAddress?
    /// The mode the key has to have; `nil` takes either.
    public var mode: KeyMode?
    /// The namespace the key is used for; `nil` is the default namespace.
    public var namespace: String?
    /// Whether the key is used for something that is in no namespace, so that none is asked for.
    public var isOutsideNamespaces = false
    /// The kind the key has to have, or it is not found; `nil` takes each.
    public var kind: KeyKind?

    /// A request; by default one that asks for nothing.
    public init(scopes: [Scope] = [], address: IPAddress? = nil, mode: KeyMode? = nil, namespace: String? = nil) {
        self.scopes = scopes
        self.address = address
        self.mode = mode
        self.namespace = namespace
    }
}
