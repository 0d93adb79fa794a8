import Keys

/// The scopes that a caller can give to keys of its own subject.
///
/// The rule is the same in every dialect. An application decides by scopes what a key can do, so the owner of a key must
/// not choose them without a limit.
struct ScopeCeiling {
    private enum Limit {
        case listed(ScopeSet)
        /// Every scope but wildcards, which also cover scopes that the application adds later.
        case withoutWildcards
    }

    private let limit: Limit

    /// The ceiling of an application's session, which gives no scopes: the application's backend does.
    static let none = ScopeCeiling(limit: .listed(ScopeSet([])))

    private init(limit: Limit) { self.limit = limit }

    /// Creates the ceiling of a workspace's members.
    ///
    /// - Parameter scopes: The workspace's setting `member_scopes`; `nil` allows every scope without a wildcard.
    init(ofMembers scopes: [String]?) {
        limit = scopes.map { .listed(ScopeSet(freeForm: $0)) } ?? .withoutWildcards
    }

    /// Throws if a scope is neither under the ceiling nor covered by the scopes that the key has already.
    func require(_ scopes: [String], besides present: [String]) throws(Refusal) {
        let present = ScopeSet(freeForm: present)
        for scope in scopes.map(Scope.init(freeForm:)) where !present.covers(scope) && !allows(scope) {
            throw .forbiddenScope(scope)
        }
    }

    private func allows(_ scope: Scope) -> Bool {
        switch limit {
        case .listed(let scopes): scopes.covers(scope)
        case .withoutWildcards: !scope.text.utf8.contains(UInt8(ascii: "*"))
        }
    }
}
