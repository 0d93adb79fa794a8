public import FoundationEssentials
public import KeyStore
public import Keys
import Postgres
import Tenancy

extension PeopleWriter {
    private static let insertSession = Statement(
        """
        INSERT INTO control.sessions (id, user_id, organization_id, created_at, refresh_until, expires_at, address)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
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

    private static let lockUsers = Statement(
        "WITH locked AS (SELECT FROM control.users ORDER BY id FOR UPDATE) SELECT count(*) FROM locked",
        prepared: false
    )
    private static let endAll = Statement(
        """
        UPDATE control.sessions SET ended_at = now(), end_reason = $1 WHERE ended_at IS NULL
        RETURNING id, organization_id
        """,
        prepared: false
    )

    /// The parameters 3 to 5 are a ``SessionSelection``.
    private static let endSelected = Statement(
        """
        UPDATE control.sessions SET ended_at = now(), end_reason = $2
        WHERE user_id = $1 AND ended_at IS NULL AND refresh_until > now() AND expires_at > now()
            AND ($3::uuid IS NULL OR id = $3) AND id IS DISTINCT FROM $4
            AND ($5::uuid IS NULL OR organization_id = $5)
        RETURNING id, organization_id
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
    ///   - address: The address that the user signs in from.
    /// - Throws: The database's errors.
    public func insertSession(
        _ id: UUID,
        user: UUID,
        organization: UUID,
        at now: Timestamp,
        refreshUntil: Timestamp,
        expiresAt: Timestamp,
        address: String?
    ) async throws {
        try await connection.query(
            Self.insertSession,
            [id, user, organization, now.stored, refreshUntil.stored, expiresAt.stored, address]
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

    /// Extends a session that is used without a refresh token.
    public func extendSession(_ id: UUID, until refreshUntil: Timestamp) async throws {
        try await connection.query(Self.extend, [id, refreshUntil.stored])
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

    /// Ends some sessions of a user, each with an event.
    ///
    /// - Returns: The number of sessions that ended.
    /// - Throws: The database's errors.
    public func endSessions(
        _ selection: SessionSelection,
        of user: UUID,
        _ reason: SessionEnd,
        by attribution: Attribution
    ) async throws -> Int {
        let (one, kept, organization): (UUID?, UUID?, UUID?) =
            switch selection {
            case .one(let id): (id, nil, nil)
            case .allExcept(let id): (nil, id, nil)
            case .allIn(let id): (nil, nil, id)
            }
        // A session that is derived from another one at this moment is seen by a statement that begins after its transaction.
        _ = try await lockUser(user)
        let ended = try await connection.query(Self.endSelected, [user, reason.rawValue, one, kept, organization])
        for row in ended {
            try await record(
                .sessionEnded,
                session: try row.decode(0),
                organization: try row.decode(1),
                by: attribution
            )
        }
        return ended.count
    }

    /// Ends the sessions of all users, each with an event.
    ///
    /// - Parameters:
    ///   - attribution: The actor.
    ///   - deadline: The maximum time of the change of the rows.
    /// - Throws: The database's errors.
    public func endAllSessions(by attribution: Attribution, deadline: Duration) async throws {
        try await connection.query(Self.lockUsers, deadline: deadline)
        let ended = try await connection.query(Self.endAll, [SessionEnd.signedOut.rawValue], deadline: deadline)
        for row in ended {
            try await record(
                .sessionEnded,
                session: try row.decode(0),
                organization: try row.decode(1),
                by: attribution
            )
        }
    }

    /// Records that sign-ins were refused.
    ///
    /// - Parameters:
    ///   - user: The user of the address; `nil` for an unknown one, which stays out of the log, because people type
    ///     passwords into the wrong field.
    ///   - organization: The organization in which the user would have acted.
    ///   - reason: The reason.
    ///   - count: The number of refusals that the event stands for.
    ///   - scope: The accounts that the event stands for: `account`, `address` or `all`.
    ///   - attribution: The attribution of the event.
    /// - Throws: The database's errors.
    public func recordRefusal(
        of user: UUID?,
        organization: UUID?,
        reason: String,
        count: Int,
        scope: String,
        by attribution: Attribution
    ) async throws {
        var changes = EventChanges()
        changes.add("user", user)
        changes.add("reason", reason)
        changes.add("count", count)
        changes.add("scope", scope)
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
