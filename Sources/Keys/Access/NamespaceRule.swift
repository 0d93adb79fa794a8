/// The namespaces that a key may be used for.
public struct NamespaceRule: Sendable, Hashable {
    /// The namespace of a request that does not name one.
    public static let defaultNamespace = "default"

    /// The allowed names.
    ///
    /// `nil` allows every namespace, an empty list allows the default namespace alone.
    public let allowed: [String]?

    /// Creates the rule that the setting `allowed_namespaces` states.
    public init(_ allowed: [String]?) { self.allowed = allowed }

    /// The rule that allows every namespace.
    public static let unrestricted = NamespaceRule(nil)

    /// Returns true if a key under the rule may be used for a namespace.
    ///
    /// Names are compared byte by byte. The name `*` in the list allows every namespace. A list that is not empty allows the
    /// default namespace only if it contains that name.
    ///
    /// - Parameter requested: The namespace. `nil` is the default namespace.
    /// - Returns: True if the rule allows the namespace.
    public func allows(_ requested: String?) -> Bool {
        guard let allowed else { return true }
        let requested = requested ?? Self.defaultNamespace
        if allowed.isEmpty { return requested.hasSameBytes(as: Self.defaultNamespace) }
        return allowed.contains { $0.hasSameBytes(as: "*") || $0.hasSameBytes(as: requested) }
    }
}
