public import FoundationEssentials
import Keys
import Postgres

/// The lock by which the removal of a member waits for the member's own changes of keys.
///
/// The member and the keys are in two databases, so no row can be locked for both.
extension KeyStore {
    private static let hold = Statement("SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))")
    private static let wait = Statement("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")

    private static func lock(of user: UUID) -> String { "mortise changes by \(UUIDv7.text(of: user))" }

    /// Lets a removal of a member wait until the open transaction has ended.
    ///
    /// Whoever reads the member afterwards sees every removal that does not wait.
    ///
    /// - Throws: The database's errors.
    public func holdChanges(by user: UUID) async throws { try await connection.query(Self.hold, [Self.lock(of: user)]) }

    /// Waits until every transaction with ``holdChanges(by:)`` for a member has ended.
    ///
    /// The lock is released at once, so that this transaction never waits for a key that another one has locked.
    ///
    /// - Throws: The database's errors, also if the task is cancelled.
    public func waitForChanges(by user: UUID) async throws {
        try await connection.query(Self.wait, [Self.lock(of: user)])
    }
}
