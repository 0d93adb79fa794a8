public import FoundationEssentials
public import Keys
public import Postgres
import Tenancy

extension PeopleStore {
    private static let insertSession = Statement(
        """
        INSERT INTO control.sessions (id, user_id, organization_id, created_at, refresh_until, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        """
    )
    private static let insertRefreshToken = Statement(
        """
        INSERT INTO control.refresh_tokens (id, session_id, digest, pepper_id, created_at) VALUES ($1, $2, $3, $4, $5)
        """
    )
    /// The session first, and its tokens after it, as whoever removes a session locks them.
    private static let lockSessionOfToken = Statement(
        """
        SELECT FROM control.sessions WHERE id = (SELECT session_id FROM control.refresh_tokens WHERE digest = ANY ($1))
        FOR NO KEY UPDATE
        """
    )
    private static let lockRefreshToken = Statement(
        "SELECT id, session_id, used_at FROM control.refresh_tokens WHERE digest = ANY ($1) FOR NO KEY UPDATE"
    )
    private static let useRefreshToken = Statement("UPDATE control.refresh_tokens SET used_at = $2 WHERE id = $1")
    private static let prolong = Statement("UPDATE control.sessions SET refresh_until = $2 WHERE id = $1")
    private static let end = Statement(
        """
        UPDATE control.sessions SET ended_at = now(), end_reason = $2 WHERE id = $1 AND ended_at IS NULL
        """
    )
    private static let endOthers = Statement(
        """
        UPDATE control.sessions SET ended_at = now(), end_reason = $2
        WHERE user_id = $1 AND id IS DISTINCT FROM $3 AND ended_at IS NULL
        """
    )
    private static let endInOrganization = Statement(
        """
        UPDATE control.sessions SET ended_at = now(), end_reason = $3
        WHERE user_id = $1 AND organization_id = $2 AND ended_at IS NULL
        """
    )
    /// `least` passes over what is NULL.
    private static let forget = Statement(
        """
        DELETE FROM control.sessions WHERE id IN (
            SELECT id FROM control.sessions
            WHERE least(ended_at, refresh_until, expires_at) < now() - interval '7 days' LIMIT 1000
            FOR UPDATE SKIP LOCKED)
        """
    )
    /// One row for each role, so that one read tells everything about a request's sender; prepared, on the connection for look-ups.
    private static let find = Statement(
        """
        SELECT s.id, s.organization_id, s.created_at, s.refresh_until, s.expires_at, s.ended_at, clock_timestamp(),
            \(Member.columns("m", user: "u"))
        FROM control.sessions s JOIN control.users u ON u.id = s.user_id
        JOIN control.members m ON m.user_id = s.user_id AND m.organization_id = s.organization_id
        WHERE s.id = $1 ORDER BY m.created_at, m.id
        """
    )

    /// Notes a session that has begun.
    public func insertSession(
        _ id: UUID,
        user: UUID,
        organization: UUID,
        at now: Timestamp,
        refreshUntil: Timestamp,
        expiresAt: Timestamp
    ) async throws {
        try await connection.query(
            Self.insertSession,
            [
                id, user, organization, PostgresTimestamp(now), PostgresTimestamp(refreshUntil),
                PostgresTimestamp(expiresAt),
            ]
        )
    }

    /// Notes the digest of a refresh token.
    public func insertRefreshToken(_ digest: PepperedDigest, session: UUID, at now: Timestamp) async throws {
        try await connection.query(
            Self.insertRefreshToken,
            [identifiers.id(), session, digest.digest.bytes, digest.pepperID.text, PostgresTimestamp(now)]
        )
    }

    /// A refresh token that was given out, locked with its session.
    public func lockRefreshToken(_ digests: [PepperedDigest]) async throws -> (
        id: UUID, session: UUID, usedAt: Timestamp?
    )? {
        try await connection.query(Self.lockSessionOfToken, [digests.map(\.digest.bytes)])
        return try await connection.query(Self.lockRefreshToken, [digests.map(\.digest.bytes)]).first
            .map { (try $0.decode(0), try $0.decode(1), try $0.optionalTimestamp(2)) }
    }

    /// Notes that a refresh token was used, and how long its session may now be left alone.
    public func useRefreshToken(
        _ id: UUID,
        session: UUID,
        at now: Timestamp,
        refreshUntil: Timestamp
    ) async throws {
        try await connection.query(Self.useRefreshToken, [id, PostgresTimestamp(now)])
        try await connection.query(Self.prolong, [session, PostgresTimestamp(refreshUntil)])
    }

    /// Ends a session.
    ///
    /// - Returns: whether it had not ended before.
    @discardableResult
    public func endSession(_ id: UUID, _ reason: SessionEnd) async throws -> Bool {
        try await connection.query(Self.end, [id, reason.rawValue]).affectedRows == 1
    }

    /// Ends the sessions of a user, but for one.
    public func endSessions(of user: UUID, except session: UUID?, _ reason: SessionEnd) async throws {
        try await connection.query(Self.endOthers, [user, reason.rawValue, session])
    }

    /// Ends the sessions of a user in one organization.
    public func endSessions(of user: UUID, in organization: UUID, _ reason: SessionEnd) async throws {
        try await connection.query(Self.endInOrganization, [user, organization, reason.rawValue])
    }

    /// Removes some of the sessions that have been over for a week.
    ///
    /// - Returns: how many.
    public func forgetSessions() async throws -> Int {
        try await connection.query(Self.forget).affectedRows
    }

    /// A session and its user's roles; `nil` also for a user without any.
    public func session(_ id: UUID) async throws -> SessionRecord? {
        try Self.session(try await connection.query(Self.find, [id]))
    }

    /// The same by one indexed read over the connection that all look-ups share.
    public static func session(_ id: UUID, in lookups: PostgresPipeline) async throws(PostgresError) -> SessionRecord? {
        try Self.session(try await lookups.query(Self.find, [id]))
    }

    private static func session(_ rows: Rows) throws(PostgresError) -> SessionRecord? {
        guard let row = rows.first else { return nil }
        let memberships = try rows.map { row throws(PostgresError) in try Member(row: row, from: 7) }
        guard let first = memberships.first else { return nil }
        return SessionRecord(
            id: try row.decode(0),
            organizationID: try row.decode(1),
            user: first.user,
            createdAt: try row.timestamp(2),
            refreshUntil: try row.timestamp(3),
            expiresAt: try row.timestamp(4),
            endedAt: try row.optionalTimestamp(5),
            memberships: memberships,
            readAt: try row.timestamp(6)
        )
    }
}
