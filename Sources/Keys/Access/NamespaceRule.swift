/// Which namespaces a key may be used for.
public struct NamespaceRule: Sendable, Hashable {
    /// What a request is for when it names no namespace.
    public static let defaultNamespace = "default"

    /// The names allowed: `nil` for all, an empty list for the default namespace alone.
    public let allowed: [String]?

    /// The rule that `allowed_namespaces` states.
    public init(_ allowed: [String]?) { self.allowed = allowed }

    /// No restriction.
    public static let unrestricted = NamespaceRule(nil)

    /// Whether a key under this rule may be used for `requested`, where `nil` means the default namespace.
    ///
    /// Names are compared byte by byte. `*` as a member allows every namespace. A list that has members allows the
    /// default namespace only where it is one of them.
    public func allows(_ requested: String?) -> Bool {
        guard let allowed else { return true }
        let requested = requested ?? Self.defaultNamespace
        if allowed.isEmpty { return requested.isIdentical(to: Self.defaultNamespace) }
        return allowed.contains { $0.isIdentical(to: "*") || $0.isIdentical(to: requested) }
    }
}
