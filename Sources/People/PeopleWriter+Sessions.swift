public import FoundationEssentials
public import KeyStore
public import Keys
import Postgres
import Tenancy

extension PeopleWriter {
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
    /// The session first and then its tokens, the order in which the removal of a session locks them.
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
    private static let extend = Statement("UPDATE control.sessions SET refresh_until = $2 WHERE id = $1")
    private static let end = Statement(
        "UPDATE control.sessions SET ended_at = now(), end_reason = $2 WHERE id = $1 AND ended_at IS NULL"
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

    /// Inserts a session that begins.
    ///
    /// - Parameters:
    ///   - id: The session's id.
    ///   - user: The user.
    ///   - organization: The organization that the session acts in.
    ///   - now: The time.
    ///   - refreshUntil: The time at which the session ends unless it is refreshed.
    ///   - expiresAt: The time at which the session ends in any case.
    /// - Throws: The database's errors.
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
            [id, user, organization, now.stored, refreshUntil.stored, expiresAt.stored]
        )
    }

    /// Inserts the digest of a refresh token.
    public func insertRefreshToken(_ digest: PepperedDigest, session: UUID, at now: Timestamp) async throws {
        try await connection.query(
            Self.insertRefreshToken,
            [identifiers.id(), session, digest.digest.bytes, digest.pepperID.text, now.stored]
        )
    }

    /// Returns a refresh token by its digests, locked together with its session until the transaction ends.
    public func lockRefreshToken(_ digests: [PepperedDigest]) async throws -> RefreshTokenRecord? {
        let parameter = digests.map(\.digest.bytes)
        try await connection.query(Self.lockSessionOfToken, [parameter])
        return try await connection.query(Self.lockRefreshToken, [parameter]).first
            .map { row in
                RefreshTokenRecord(
                    id: try row.decode(0),
                    sessionID: try row.decode(1),
                    usedAt: try row.optionalTimestamp(2)
                )
            }
    }

    /// Marks a refresh token as used and extends its session.
    public func useRefreshToken(
        _ token: RefreshTokenRecord,
        at now: Timestamp,
        refreshUntil: Timestamp
    ) async throws {
        try await connection.query(Self.useRefreshToken, [token.id, now.stored])
        try await connection.query(Self.extend, [token.sessionID, refreshUntil.stored])
    }

    /// Ends a session.
    ///
    /// - Returns: False if the session had ended before.
    public func endSession(_ id: UUID, _ reason: SessionEnd) async throws -> Bool {
        try await connection.query(Self.end, [id, reason.rawValue]).affectedRows == 1
    }

    /// Ends the sessions of a user, except one.
    public func endSessions(of user: UUID, except session: UUID?, _ reason: SessionEnd) async throws {
        try await connection.query(Self.endOthers, [user, reason.rawValue, session])
    }

    /// Ends the sessions of a user in one organization.
    public func endSessions(of user: UUID, in organization: UUID, _ reason: SessionEnd) async throws {
        try await connection.query(Self.endInOrganization, [user, organization, reason.rawValue])
    }

    /// Records that sign-ins were refused.
    ///
    /// - Parameters:
    ///   - user: The user of the address; `nil` for an unknown one, which stays out of the log, because people type
    ///     passwords into the wrong field.
    ///   - organization: The organization in which the user would have acted.
    ///   - reason: The reason.
    ///   - count: The number of refusals that the event stands for.
    ///   - attribution: The attribution of the event.
    /// - Throws: The database's errors.
    public func recordRefusal(
        of user: UUID?,
        organization: UUID?,
        reason: String,
        count: Int,
        by attribution: Attribution
    ) async throws {
        var changes = EventChanges()
        changes.add("user", user)
        changes.add("reason", reason)
        changes.add("count", count)
        try await record(.sessionRefused, organization: organization, changes, by: attribution)
    }

    /// Records that a session began, ended, or was ended because a refresh token came a second time.
    public func record(
        _ type: EventType,
        session: UUID,
        organization: UUID,
        by attribution: Attribution
    ) async throws {
        var changes = EventChanges()
        changes.add("session", session)
        try await record(type, organization: organization, changes, by: attribution)
    }
}
