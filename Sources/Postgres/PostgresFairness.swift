public import FoundationEssentials

/// The owner on whose behalf a task waits for the connections of pools.
///
/// Many tenants of a program can share one ``PostgresPool``. Without owners, a tenant that asks for hundreds of connections at once makes
/// all others wait behind it. Within ``with(owner:_:)``, a caller waits in line with those of its owner, and owners take turns.
///
/// ```swift
/// try await PostgresFairness.with(owner: tenant.id) {
///     try await pool.transaction { try await $0.query(statement, [id]) }
/// }
/// ```
///
/// Tasks without an owner, such as background work, are together one owner like any other. The tasks that a task starts inherit its owner,
/// unless they are detached. A caller that finds a free connection takes it, whoever its owner is.
public enum PostgresFairness {
    @TaskLocal static var owner: UUID?

    /// Runs `body` on behalf of an owner.
    ///
    /// - Parameters:
    ///   - owner: The owner. `nil` stands for all that have none.
    ///   - body: The work.
    /// - Returns: The value that `body` returns.
    /// - Throws: The error of `body`.
    public static func with<Value>(
        owner: UUID?,
        _ body: () async throws -> Value
    ) async rethrows -> Value {
        try await $owner.withValue(owner, operation: body)
    }
}
