import FoundationEssentials
import Postgres

extension PeopleStore {
    /// `least` ignores NULL.
    private static let deleteEnded = Statement(
        """
        DELETE FROM control.sessions WHERE id IN (
            SELECT id FROM control.sessions
            WHERE least(ended_at, refresh_until, expires_at) < now() - interval '7 days' LIMIT 1000
            FOR UPDATE SKIP LOCKED)
        """
    )

    /// Deletes up to a thousand sessions that ended more than a week ago, with their refresh tokens.
    ///
    /// A deletion of old rows is no change that anybody made, so it has no event.
    ///
    /// - Returns: The number of deleted sessions.
    public func deleteEndedSessions() async throws -> Int {
        try await connection.query(Self.deleteEnded).affectedRows
    }

    private static let lockWithoutRoles = Statement(
        """
        SELECT u.id FROM control.users u WHERE NOT EXISTS (SELECT FROM control.members m WHERE m.user_id = u.id) LIMIT 1000
        FOR UPDATE OF u SKIP LOCKED
        """
    )
    private static let deleteWithoutRoles = Statement(
        """
        DELETE FROM control.users u
        WHERE id = ANY ($1) AND NOT EXISTS (SELECT FROM control.members m WHERE m.user_id = u.id)
        """
    )

    /// Deletes up to a thousand users whose last role went with its workspace.
    ///
    /// The users are locked first, because a DELETE that waits for a role to be added does not look again whether there is one.
    ///
    /// - Returns: The number of deleted users.
    public func deleteUsersWithoutRoles() async throws -> Int {
        try await connection.transaction { connection in
            let users = try await connection.query(Self.lockWithoutRoles).map { try $0.decode(0, as: UUID.self) }
            if users.isEmpty { return 0 }
            return try await connection.query(Self.deleteWithoutRoles, [users]).affectedRows
        }
    }

    private static let deleteSingleUses = Statement(
        """
        DELETE FROM control.single_uses WHERE id IN (
            SELECT id FROM control.single_uses WHERE expires_at < now() - interval '1 hour' LIMIT 1000
            FOR UPDATE SKIP LOCKED)
        """
    )

    /// Deletes up to a thousand marks of what expired more than an hour ago.
    ///
    /// The hour is for nodes whose clocks differ.
    ///
    /// - Returns: The number of deleted rows.
    public func deleteSingleUses() async throws -> Int {
        try await connection.query(Self.deleteSingleUses).affectedRows
    }
}
