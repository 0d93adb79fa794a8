import FoundationEssentials
import Keys
package import Postgres

/// The instants at which the next notices become due.
extension NoticeWriter {
    /// Returns a query for the time in microseconds until the earliest instant `at` of another query, or `NULL`.
    private static func wait(until found: String) -> Statement {
        Statement("SELECT (extract(epoch FROM min(n.at) - \(now)) * 1000000)::bigint FROM (\(found)) n")
    }

    /// The ends of keys and of grace periods of which a notice becomes due within `$4` microseconds.
    ///
    /// `$3` are the days before an end.
    private static let upcoming = wait(
        until: """
            SELECT e.at FROM unnest($3::bigint[]) d (days) CROSS JOIN LATERAL (
                SELECT k.about - d.days * interval '1 day' AS at
                FROM (\(keys("\(BrowseQuery.end) AS about", isUpcoming))) k ORDER BY k.about LIMIT 1
            ) e
            UNION ALL SELECT s.ends_at - interval '1 day'
            FROM auth.key_secrets s
            JOIN (\(keys("k.created_at", BrowseQuery.works))) k ON k.id = coalesce(s.key_id, s.client_key_id)
            WHERE s.ended_at IS NULL AND s.ends_at > \(now) + interval '1 day'
              AND s.ends_at <= \(now) + interval '1 day' + $4::bigint * interval '1 microsecond'
            """
    )

    private static let isUpcoming = """
        \(BrowseQuery.works) AND \(BrowseQuery.end) > \(now) + d.days * interval '1 day'
        AND \(BrowseQuery.end) <= \(now) + d.days * interval '1 day' + $4::bigint * interval '1 microsecond'
        """

    /// The keys that are unused for `$3` days within `$4` microseconds.
    ///
    /// The minute of a last use is indexed, and its instant is not.
    private static let upcomingUnused = wait(
        until: """
            SELECT u.last_used_at + $3::bigint * interval '1 day' AS at
            FROM auth.key_usage u JOIN (\(keys("k.created_at", BrowseQuery.works))) k ON k.id = u.key_id
            WHERE u.last_used_minute >= date_trunc('minute', (\(unusedSince)) AT TIME ZONE 'UTC')
              AND u.last_used_minute <= (\(unusedSoonSince)) AT TIME ZONE 'UTC'
              AND u.last_used_at > \(unusedSince) AND u.last_used_at <= \(unusedSoonSince)
              AND NOT EXISTS (SELECT FROM auth.key_usage o WHERE o.key_id = u.key_id AND o.last_used_at > \(unusedSoonSince))
            UNION ALL SELECT k.at + $3::bigint * interval '1 day' FROM (\(keys("k.created_at AS at", isUpcomingUnused))) k
            """
    )

    private static let isUpcomingUnused = """
        \(BrowseQuery.works) AND k.created_at > \(unusedSince) AND k.created_at <= \(unusedSoonSince)
        AND NOT EXISTS (SELECT FROM auth.key_usage o WHERE o.key_id = k.id AND o.last_used_at > \(unusedSoonSince))
        """

    private static let unusedSince = "\(now) - $3::bigint * interval '1 day'"
    private static let unusedSoonSince = "\(unusedSince) + $4::bigint * interval '1 microsecond'"

    /// Returns the time until the next notice that becomes due without a change or a use of a key.
    ///
    /// - Parameters:
    ///   - group: The types.
    ///   - scope: The keys and their settings.
    ///   - shift: The difference between the time of notices and the database's time.
    ///   - limit: The time to look ahead.
    ///   - connection: A connection to the database.
    /// - Returns: The time; `nil` if no notice becomes due within the limit.
    /// - Throws: The database's errors.
    package static func upcoming(
        _ group: Group,
        _ scope: Scope,
        shift: Duration,
        within limit: Duration,
        on connection: PostgresConnection
    ) async throws -> Duration? {
        let (organization, shift, limit) = (scope.organizationID, shift.wholeMicroseconds, limit.wholeMicroseconds)
        let rows: Rows
        switch group {
        case .timely:
            rows = try await connection.query(upcoming, [organization, shift, scope.settings.expiryDays, limit])
        case .unused:
            let days = scope.settings.unusedAfterDays
            guard days > 0 else { return nil }
            rows = try await connection.query(upcomingUnused, [organization, shift, days, limit])
        }
        return try rows.first?.decode(0, as: Int64?.self).map { .microseconds($0) }
    }
}
