public import FoundationEssentials
import KeyStore
public import Keys
public import Postgres

extension PeopleStore {
    /// One row for each role, so that one read returns everything about the sender of a request.
    private static let find = Statement(
        """
        SELECT s.id, s.organization_id, s.created_at, s.refresh_until, s.expires_at, s.ended_at, clock_timestamp(),
            \(Member.columns("m", user: "u"))
        FROM control.sessions s JOIN control.users u ON u.id = s.user_id
        JOIN control.members m ON m.user_id = s.user_id AND m.organization_id = s.organization_id
        WHERE s.id = $1 ORDER BY m.created_at, m.id
        """
    )

    private static let ofUser = Statement(
        """
        SELECT id, organization_id, created_at, refresh_until, expires_at, address FROM control.sessions
        WHERE user_id = $1 AND ($2::uuid IS NULL OR organization_id = $2)
            AND ended_at IS NULL AND refresh_until > now() AND expires_at > now()
        ORDER BY created_at DESC, id DESC LIMIT 100
        """
    )

    /// Returns a user's sessions that have not ended, newest first, at most 100.
    ///
    /// - Parameters:
    ///   - user: The user.
    ///   - organization: The organization that the sessions act in; `nil` for all.
    /// - Returns: The sessions.
    /// - Throws: The database's errors.
    public func sessions(of user: UUID, in organization: UUID?) async throws -> [SessionSummary] {
        try await connection.query(Self.ofUser, [user, organization])
            .map { row in
                SessionSummary(
                    id: try row.decode(0),
                    organizationID: try row.decode(1),
                    createdAt: try row.timestamp(2),
                    refreshUntil: try row.timestamp(3),
                    expiresAt: try row.timestamp(4),
                    address: try row.decode(5)
                )
            }
    }

    /// Returns a session with its user's roles, or `nil` if there is none or its user has no role.
    public func session(_ id: UUID) async throws -> SessionRecord? {
        try Self.session(try await connection.query(Self.find, [id]))
    }

    /// Returns a session by one indexed read over the pipeline that all look-ups share, with the mark of the session that answered.
    public static func session(
        _ id: UUID,
        in lookups: PostgresPipeline
    ) async throws(PostgresError) -> (value: SessionRecord?, mark: SessionMark) {
        let answer = try await lookups.answer(Self.find, [id])
        return (try Self.session(answer.rows), answer.mark)
    }

    private static let refreshToken = Statement("SELECT 1 FROM control.refresh_tokens WHERE digest = ANY ($1)")

    /// Returns true if a session has a refresh token with one of some digests, by one indexed read over the pipeline that all look-ups share.
    public static func hasRefreshToken(
        _ digests: [PepperedDigest],
        in lookups: PostgresPipeline
    ) async throws(PostgresError) -> (value: Bool, mark: SessionMark) {
        let answer = try await lookups.answer(Self.refreshToken, [digests.map(\.digest.bytes)])
        return (answer.rows.first != nil, answer.mark)
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
