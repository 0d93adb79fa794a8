public import FoundationEssentials
import Keys
import Postgres

/// The locks by which the end of a credential waits for the changes that the credential has begun.
///
/// A transaction takes one and then looks at the caller again. So a change either ends before the credential does, or sees its end.
extension KeyStore {
    /// Lets a change of a key, such as its revocation, wait until the open transaction has ended.
    ///
    /// - Throws: The database's errors.
    public func hold(_ key: UUID, in owner: KeyOwner) async throws {
        try await connection.query(owner.statements.hold, [key] + owner.parameters)
    }

    /// Returns keys as `lock` does, and holds the caller's key.
    ///
    /// All rows are locked in the order of their ids, so that two keys that change each other never wait for each other.
    func lock(_ ids: [UUID], in owner: KeyOwner, holding caller: CallerKey?) async throws -> [KeyRecord] {
        guard let caller, !ids.contains(caller.id) else { return try await lock(ids, in: owner) }
        let own = UUIDv7.text(of: caller.id)
        let before = try await lock(ids.filter { UUIDv7.text(of: $0) < own }, in: owner)
        try await hold(caller.id, in: caller.owner)
        let after = try await lock(ids.filter { UUIDv7.text(of: $0) > own }, in: owner)
        let found = Dictionary(uniqueKeysWithValues: (before + after).map { ($0.id, $0) })
        return ids.compactMap { found[$0] }
    }

    private static let holdUser = Statement("SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))")
    private static let lockUser = Statement("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")

    private static func lock(of user: UUID) -> String { "mortise changes by \(UUIDv7.text(of: user))" }

    /// Lets ``lockChanges(by:)`` for a member wait until the open transaction has ended.
    ///
    /// A member's changes of keys are in other databases than the member, so no row can be locked for both.
    ///
    /// - Throws: The database's errors.
    public func holdChanges(by user: UUID) async throws {
        try await connection.query(Self.holdUser, [Self.lock(of: user)])
    }

    /// Waits until every transaction with ``holdChanges(by:)`` for a member has ended.
    ///
    /// In a transaction, no other one begins until it ends. Without one, the lock is released at once.
    ///
    /// - Throws: The database's errors, also if the task is cancelled.
    public func lockChanges(by user: UUID) async throws {
        try await connection.query(Self.lockUser, [Self.lock(of: user)])
    }
}

/// The key that a caller presented, in the database of the keys that it changes.
public struct CallerKey: Sendable {
    /// The key.
    public let id: UUID
    /// The owner of the key.
    public let owner: KeyOwner

    /// Names a key.
    public init(_ id: UUID, of owner: KeyOwner) {
        self.id = id
        self.owner = owner
    }
}
