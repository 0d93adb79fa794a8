/// The scopes of a key, in the order in which they were given.
public struct ScopeSet: Sendable, Hashable {
    /// The largest number of scopes of a key or of a request.
    ///
    /// A surface enforces the limit, this type does not. A check compares with every scope, which is fastest for a few.
    public static let maximumCount = 100

    /// The scopes.
    ///
    /// No scope appears twice.
    public let scopes: [Scope]

    /// Creates a set of scopes.
    ///
    /// If several scopes are equal, the first one is kept.
    public init(_ scopes: some Sequence<Scope>) {
        var unique: [Scope] = []
        var seen: Set<Scope> = []
        for scope in scopes where Self.isNew(scope, among: unique, &seen) { unique.append(scope) }
        self.scopes = unique
    }

    /// Creates a set from the texts that the database or another dialect has.
    public init(freeForm texts: [String]) {
        self.init(texts.lazy.map(Scope.init(freeForm:)))
    }

    /// The scopes as they were written.
    public var texts: [String] { scopes.map(\.text) }

    /// Returns true if one of the scopes covers `required`.
    public func covers(_ required: Scope) -> Bool {
        scopes.contains { $0.covers(required) }
    }

    /// Returns true if every scope in `required` is covered.
    ///
    /// An empty list is covered.
    public func covers(_ required: [Scope]) -> Bool {
        required.allSatisfy { covers($0) }
    }

    /// Returns true for a scope that the set does not have yet.
    ///
    /// A few scopes are compared with each other, which needs no memory. A `Set` takes over for more, so that the time does
    /// not grow with the square of their number.
    private static func isNew(_ scope: Scope, among unique: [Scope], _ seen: inout Set<Scope>) -> Bool {
        let few = 16
        if unique.count < few { return !unique.contains(scope) }
        if seen.isEmpty { seen = Set(unique) }
        return seen.insert(scope).inserted
    }
}
