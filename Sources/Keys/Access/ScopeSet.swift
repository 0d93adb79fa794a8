/// What a key may do, in the order it was given.
public struct ScopeSet: Sendable, Hashable {
    /// How many scopes a key, or a request, should have at most.
    ///
    /// A surface enforces this, not the type; looking one up goes through all of them, which is fastest for a few.
    public static let maximumCount = 100

    /// The scopes, none of them twice.
    public let scopes: [Scope]

    /// The set of these scopes.
    public init(_ scopes: some Sequence<Scope>) {
        var seen: Set<Scope> = []
        self.scopes = scopes.filter { seen.insert($0).inserted }
    }

    /// The set that such texts stand for in the database or in another dialect.
    public init(freeForm texts: [String]) {
        self.init(texts.map(Scope.init(freeForm:)))
    }

    /// The scopes as they were written.
    public var texts: [String] { scopes.map(\.text) }

    /// Whether one of the scopes covers `required`.
    public func covers(_ required: Scope) -> Bool {
        scopes.contains { $0.covers(required) }
    }

    /// Whether everything in `required` is covered; true where nothing is required.
    public func covers(_ required: [Scope]) -> Bool {
        required.allSatisfy { covers($0) }
    }
}
