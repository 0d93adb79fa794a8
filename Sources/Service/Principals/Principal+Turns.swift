import FoundationEssentials
import Postgres

extension Principal {
    /// The owner of the turns of all requests without a credential, which no organization has as its id.
    ///
    /// It is one for all of them. With an owner for each address, whoever has many addresses would keep operators waiting behind each.
    fileprivate static let strangers = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))

    /// Runs `body` so that the caller's organization takes turns with others where they wait for connections.
    ///
    /// The caller's organization counts, and not the one that the request names: a caller reaches no other than its own, and the work of
    /// operators neither waits behind an organization's nor takes its turns. Operators share the turns of all that have no organization,
    /// such as background work.
    ///
    /// - Parameter body: The work.
    /// - Returns: The value that `body` returns.
    /// - Throws: The error of `body`.
    package func takingTurns<Value>(_ body: () async throws -> Value) async rethrows -> Value {
        try await PostgresFairness.with(owner: organizationID, body)
    }
}

extension Principal? {
    /// Runs `body` as ``Principal/takingTurns(_:)`` does.
    ///
    /// Requests without a principal, such as sign-ins and reports of leaks, take turns together. So strangers keep neither operators nor
    /// organizations waiting.
    ///
    /// - Parameter body: The work.
    /// - Returns: The value that `body` returns.
    /// - Throws: The error of `body`.
    package func takingTurns<Value>(_ body: () async throws -> Value) async rethrows -> Value {
        guard let principal = self else { return try await PostgresFairness.with(owner: Principal.strangers, body) }
        return try await principal.takingTurns(body)
    }
}
