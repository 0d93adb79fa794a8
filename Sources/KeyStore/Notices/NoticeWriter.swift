package import FoundationEssentials
import Keys
package import Postgres

/// Writes the events about keys that no caller caused, each once.
///
/// The row of `auth.key_notices` and the event are one transaction. A second node waits at the row, and then finds the notice written.
package struct NoticeWriter: Sendable {
    private let transaction: AuditedTransaction

    /// Creates a writer over a connection to a workspace's database, or to the control database.
    package init(_ transaction: AuditedTransaction) {
        self.transaction = transaction
    }

    /// The owner of the keys, and the settings for them.
    package struct Scope: Sendable {
        /// The workspace whose database this is; `nil` in the control database.
        package let workspaceID: UUID?
        /// The organization of the admin keys; `nil` in a workspace's database.
        package let organizationID: UUID?
        /// The settings.
        package let settings: NoticeSettings

        /// Creates a scope.
        package init(workspaceID: UUID?, organizationID: UUID?, settings: NoticeSettings) {
            self.workspaceID = workspaceID
            self.organizationID = organizationID
            self.settings = settings
        }
    }

    /// The maximum number of notices of a type in one transaction.
    package static let batch = 100

    // MARK: Statements

    /// Returns a query over both tables of keys.
    ///
    /// `$1` is the organization, and `$2` the difference to the database's time.
    static func keys(_ columns: String, _ condition: String) -> String {
        """
        SELECT k.id, k.name, \(columns) FROM auth.service_keys k
        WHERE k.organization_id IS NOT DISTINCT FROM $1 AND \(condition)
        UNION ALL SELECT k.id, k.name, \(columns) FROM auth.client_keys k WHERE $1::uuid IS NULL AND \(condition)
        """
    }

    /// The time of notices.
    ///
    /// `statement_timestamp()` bounds the scan of an index. `clock_timestamp()` is volatile and cannot: each search would read all keys.
    static let now = "(statement_timestamp() + $2::bigint * interval '1 microsecond')"

    /// Writes the rows of the notices that are new, and returns them.
    ///
    /// - Parameters:
    ///   - type: The type.
    ///   - found: A query for `id, name, about, days`.
    ///   - isNew: The condition under which a notice `n` does not cover the found one `f`.
    ///   - limit: The number of the parameter that limits the rows.
    /// - Returns: The statement.
    private static func statement(_ type: EventType, _ found: String, isNew: String, limit: Int) -> Statement {
        Statement(
            """
            WITH found AS (\(found)), candidates AS (
                SELECT * FROM found f WHERE NOT EXISTS (
                    SELECT FROM auth.key_notices n
                    WHERE n.key_id = f.id AND n.type = '\(type.rawValue)' AND NOT (\(isNew))
                )
                ORDER BY f.about, f.id LIMIT $\(limit)
            ), written AS (
                INSERT INTO auth.key_notices AS n (key_id, type, about, days)
                SELECT f.id, '\(type.rawValue)', f.about, f.days FROM candidates f
                ON CONFLICT (key_id, type) DO UPDATE SET about = EXCLUDED.about, days = EXCLUDED.days
                WHERE \(isNew.replacing("f.", with: "EXCLUDED."))
                RETURNING key_id
            )
            SELECT f.id, f.name, f.about, f.days FROM candidates f JOIN written w ON w.key_id = f.id
            """
        )
    }

    /// The condition of a key that ends within the most days of `$3`.
    private static let endsSoon = """
        \(BrowseQuery.works) AND \(BrowseQuery.end) > \(now)
        AND \(BrowseQuery.end) <= \(now) + (SELECT max(d) FROM unnest($3::bigint[]) d) * interval '1 day'
        """

    /// If several notices of a key are due, the one closest to its end is taken.
    ///
    /// `$3` are the days.
    private static let expiring = statement(
        .expiring,
        """
        SELECT k.id, k.name, k.about, (
            SELECT min(d) FROM unnest($3::bigint[]) d WHERE k.about <= \(now) + d * interval '1 day'
        ) AS days FROM (\(keys("\(BrowseQuery.end) AS about", endsSoon))) k
        """,
        isNew: "n.about <> f.about OR n.days > f.days",
        limit: 4
    )

    /// A secret counts as used if it was used since the newest secret exists.
    private static let graceEnding = statement(
        .graceEnding,
        """
        SELECT k.id, k.name, max(s.ends_at) AS about, 0::bigint AS days
        FROM auth.key_secrets s JOIN auth.key_usage u ON u.secret_id = s.id
        JOIN (\(keys("k.created_at", BrowseQuery.works))) k ON k.id = coalesce(s.key_id, s.client_key_id)
        WHERE s.ended_at IS NULL AND s.ends_at > \(now) AND s.ends_at <= \(now) + interval '1 day'
          AND u.last_used_at > (SELECT max(o.created_at) FROM auth.key_secrets o
              WHERE o.key_id = k.id OR o.client_key_id = k.id)
        GROUP BY k.id, k.name
        """,
        isNew: "n.about <> f.about",
        limit: 3
    )

    /// The last use of a key `k`, or `NULL`.
    static let lastUse = "(SELECT max(u.last_used_at) FROM auth.key_usage u WHERE u.key_id = k.id)"

    /// The condition of a key that is older than `$3` days and was not used in that time.
    private static let isUnused = """
        \(BrowseQuery.works) AND k.created_at < \(now) - $3::bigint * interval '1 day'
        AND NOT EXISTS (SELECT FROM auth.key_usage u
            WHERE u.key_id = k.id AND u.last_used_at > \(now) - $3::bigint * interval '1 day')
        """

    /// `$3` are the days.
    private static let unused = statement(
        .unused,
        """
        SELECT k.id, k.name, coalesce(\(lastUse), k.created_at) AS about, 0::bigint AS days
        FROM (\(keys("k.created_at", isUnused))) k
        """,
        isNew: "n.about <> f.about",
        limit: 4
    )

    /// The counts of refusals arrive some seconds late, and two searches can be more than an hour apart.
    private static let limitReached = statement(
        .limitReached,
        """
        SELECT k.id, k.name, l.hour AS about, 0::bigint AS days
        FROM (SELECT h.key_id, max(h.hour) AS hour
            FROM auth.key_usage_hourly h CROSS JOIN LATERAL generate_subscripts(h.minutes, 1) n
            WHERE h.code = 'rate_limited' AND h.hour > statement_timestamp() - interval '130 minutes' AND h.minutes[n] > 0
              AND h.hour + n * interval '1 minute' > statement_timestamp() - interval '70 minutes'
            GROUP BY h.key_id) l
        JOIN (\(keys("$2::bigint AS shift", "true"))) k ON k.id = l.key_id
        """,
        isNew: "n.about < f.about",
        limit: 3
    )

    private static let deleteOrphans = Statement(
        """
        DELETE FROM auth.key_notices n WHERE NOT EXISTS (SELECT FROM auth.service_keys k WHERE k.id = n.key_id)
          AND NOT EXISTS (SELECT FROM auth.client_keys k WHERE k.id = n.key_id)
        """
    )

    // MARK: Work

    /// The notices that one search looks for.
    package enum Group: Sendable {
        /// `expiring`, `grace_ending` and `limit_reached`, each of which an index finds.
        case timely
        /// `unused`, for which all old keys are read.
        case unused
    }

    /// Writes the rows of notices that are due and new, in their types' order.
    ///
    /// - Parameters:
    ///   - group: The types.
    ///   - scope: The keys and their settings.
    ///   - shift: The difference between the time of notices and the database's time.
    /// - Returns: The notices, at most `batch` of each type, whose events ``record(_:in:makeID:)`` writes.
    /// - Throws: The database's errors.
    package func take(_ group: Group, _ scope: Scope, shift: Duration) async throws -> [KeyNotice] {
        let shift = shift.wholeMicroseconds
        let organization = scope.organizationID
        let days = scope.settings.expiryDays
        switch group {
        case .timely:
            var found: [KeyNotice] = []
            if !days.isEmpty {
                found += try await notices(.expiring, Self.expiring, [organization, shift, days, Self.batch])
            }
            found += try await notices(.graceEnding, Self.graceEnding, [organization, shift, Self.batch])
            return found + (try await notices(.limitReached, Self.limitReached, [organization, shift, Self.batch]))
        case .unused:
            let days = scope.settings.unusedAfterDays
            guard days > 0 else { return [] }
            return try await notices(.unused, Self.unused, [organization, shift, days, Self.batch])
        }
    }

    private func notices(
        _ type: EventType,
        _ statement: Statement,
        _ parameters: [any PostgresEncodable]
    ) async throws -> [KeyNotice] {
        try await transaction.connection.query(statement, parameters)
            .map { row in
                KeyNotice(
                    type: type,
                    keyID: try row.decode(0),
                    keyName: try row.decode(1),
                    about: try row.timestamp(2),
                    days: Int(try row.decode(3, as: Int64.self))
                )
            }
    }

    /// Records the events of notices.
    ///
    /// - Parameters:
    ///   - notices: The notices.
    ///   - scope: Their scope.
    ///   - makeID: Returns an id of version 7.
    /// - Throws: The database's errors.
    package func record(_ notices: [KeyNotice], in scope: Scope, makeID: () -> UUID) async throws {
        for notice in notices {
            let now = try await transaction.now()
            try await transaction.record(
                EventRecord(
                    notice.type,
                    id: makeID(),
                    workspaceID: scope.workspaceID,
                    organizationID: scope.organizationID,
                    keyID: notice.keyID,
                    keyName: notice.keyName,
                    changes: notice.changes,
                    by: .system,
                    at: now
                )
            )
        }
    }

    /// Deletes the rows of keys that are gone.
    package static func removeOrphans(on connection: PostgresConnection) async throws(PostgresError) -> Int {
        try await connection.query(deleteOrphans).affectedRows
    }
}
