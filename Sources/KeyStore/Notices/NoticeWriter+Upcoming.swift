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
    private static let upcomingUnused = wait(
        until: """
            SELECT k.last_use + $3::bigint * interval '1 day' AS at FROM (
                \(keys("coalesce(\(lastUse), k.created_at) AS last_use", isUpcomingUnused))
            ) k
            WHERE k.last_use > \(now) - $3::bigint * interval '1 day'
            """
    )

    private static let isUpcomingUnused = """
        \(BrowseQuery.works)
        AND k.created_at <= \(now) - $3::bigint * interval '1 day' + $4::bigint * interval '1 microsecond'
        AND NOT EXISTS (SELECT FROM auth.key_usage u WHERE u.key_id = k.id
            AND u.last_used_at > \(now) - $3::bigint * interval '1 day' + $4::bigint * interval '1 microsecond')
        """

    /// The times until the next notices that become due without a change or a use of a key.
    package struct Upcoming: Sendable {
        /// Of the notice of an unused key; `nil` if none is due soon, or unused keys were not looked for.
        package let unused: Duration?
        /// Of another notice.
        package let other: Duration?
    }

    /// Returns when the next notices become due.
    ///
    /// - Parameters:
    ///   - scope: The keys and their settings.
    ///   - isComplete: True to look at unused keys, too, which reads all keys.
    ///   - shift: The difference between the time of notices and the database's time.
    ///   - limit: The time to look ahead.
    ///   - connection: A connection to the database.
    /// - Returns: The times.
    /// - Throws: The database's errors.
    package static func upcoming(
        _ scope: Scope,
        isComplete: Bool,
        shift: Duration,
        within limit: Duration,
        on connection: PostgresConnection
    ) async throws -> Upcoming {
        func wait(_ statement: Statement, _ days: any PostgresEncodable) async throws -> Duration? {
            let values: [any PostgresEncodable] = [
                scope.organizationID, shift.wholeMicroseconds, days, limit.wholeMicroseconds,
            ]
            let row = try await connection.query(statement, values).first
            return try row?.decode(0, as: Int64?.self).map { .microseconds($0) }
        }
        let days = scope.settings.unusedAfterDays
        return Upcoming(
            unused: isComplete && days > 0 ? try await wait(upcomingUnused, days) : nil,
            other: try await wait(upcoming, scope.settings.expiryDays)
        )
    }
}
