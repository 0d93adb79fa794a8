import Postgres

extension Principal {
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
