import Keys
import Postgres

/// The SQL of one question for a page of keys.
///
/// The text has only the conditions that the question has, so PostgreSQL can plan each of them with its index. It contains no value of
/// the question. The statements are not prepared, because there are many and each runs seldom.
struct BrowseQuery {
    private let table: KeyTable
    private(set) var parameters: [any PostgresEncodable] = []
    private var conditions: [String] = []

    init(_ browse: KeyBrowse, _ table: KeyTable, _ owner: KeyOwner) {
        self.table = table
        conditions.append(table.isOwned(1))
        parameters = owner.parameters
        add(browse)
    }

    /// Returns the statement for the ids of the page and the values that they are ordered by.
    mutating func statement(_ browse: KeyBrowse, limit: Int) -> Statement {
        let value = Self.value(browse.order)
        let direction = browse.isAscending ? "ASC" : "DESC"
        if let cursor = browse.cursor {
            let (first, second) =
                switch cursor.value {
                case .text(let text): (parameter(text), parameter(cursor.id))
                case .time(let time): (parameter(time.stored), parameter(cursor.id))
                }
            conditions.append("(\(value), k.id) \(browse.isAscending ? ">" : "<") (\(first), \(second))")
        }
        return Statement(
            """
            SELECT k.id, \(value) FROM \(table.name) k\(browse.order == .used ? Self.lastUses : "")
            WHERE \(conditions.joined(separator: " AND "))
            ORDER BY \(value) \(direction), k.id \(direction) LIMIT \(parameter(limit))
            """,
            prepared: false
        )
    }

    private mutating func parameter(_ value: any PostgresEncodable) -> String {
        parameters.append(value)
        return "$\(parameters.count)"
    }

    private mutating func add(_ browse: KeyBrowse) {
        if let query = browse.query {
            let pattern = parameter(LikePattern.anywhere(query))
            // The beginning of a token has an index of its own, in which only LIKE without ILIKE finds it.
            let prefix = parameter(LikePattern.beginning(query))
            conditions.append(
                """
                (k.name ILIKE \(pattern) OR k.description ILIKE \(pattern) OR k.id IN (
                    SELECT s.\(table.secretColumn) FROM auth.key_secrets s WHERE s.prefix LIKE \(prefix)
                    AND s.\(table.secretColumn) IS NOT NULL))
                """
            )
        }
        if let status = browse.status { conditions.append(Self.has(status)) }
        if let mode = browse.mode { conditions.append("k.mode = \(parameter(mode.rawValue))") }
        if let owner = browse.owner {
            let column = table.kind == KeyTable.client.kind ? "k.subject" : "k.created_by"
            conditions.append("\(column) = \(parameter(owner))")
        }
        if let days = browse.endsWithinDays {
            conditions.append(Self.works)
            conditions.append("\(Self.end) <= now() + make_interval(days => \(parameter(Int32(clamping: days))))")
        }
        switch browse.unused {
        case nil: break
        case .ever: conditions.append("NOT EXISTS (SELECT FROM auth.key_usage u WHERE u.key_id = k.id)")
        case .days(let days):
            let interval = "now() - make_interval(days => \(parameter(Int32(clamping: days))))"
            conditions.append("k.created_at < \(interval)")
            conditions.append(
                "NOT EXISTS (SELECT FROM auth.key_usage u WHERE u.key_id = k.id AND u.last_used_at >= \(interval))"
            )
        }
    }

    /// The end of a key, or a time after all others.
    ///
    /// The expression is the one of the index.
    static let end = "coalesce(least(k.expires_at, k.grace_period_ends_at), \(latest))"

    /// The last time that a ``Timestamp`` has.
    private static let latest = "'9999-12-31 23:59:59.999999+00'::timestamptz"

    private static let earliest = "'0001-01-01 00:00:00+00'::timestamptz"

    private static let hasEnded = "(k.ended_at IS NOT NULL OR \(end) <= now())"

    /// The condition of a key that verifies now.
    static let works = "k.revoked_at IS NULL AND k.disabled_at IS NULL AND NOT \(hasEnded)"

    /// Returns the condition of a status, which is `KeyStatus.derive` in SQL.
    static func has(_ status: KeyStatus) -> String {
        switch status {
        case .revoked: "k.revoked_at IS NOT NULL"
        case .expired: "k.revoked_at IS NULL AND \(hasEnded)"
        case .disabled: "k.revoked_at IS NULL AND NOT \(hasEnded) AND k.disabled_at IS NOT NULL"
        case .deprecated: "\(works) AND k.deprecated_at IS NOT NULL"
        case .active: "\(works) AND k.deprecated_at IS NULL"
        }
    }

    private static func value(_ order: KeyBrowse.Order) -> String {
        switch order {
        case .name: "lower(k.name)"
        case .created: "k.created_at"
        case .ends: end
        case .used: "coalesce(l.used, \(earliest))"
        }
    }

    private static let lastUses = """
         LEFT JOIN (SELECT u.key_id, max(u.last_used_at) AS used FROM auth.key_usage u GROUP BY u.key_id) l
            ON l.key_id = k.id
        """
}

/// Patterns for LIKE that match a text literally.
enum LikePattern {
    /// Returns a pattern for texts that contain a text.
    static func anywhere(_ text: String) -> String { "%" + escaped(text) + "%" }

    /// Returns a pattern for texts that begin with a text.
    ///
    /// A stored beginning of a token has 16 characters, and a person can have pasted more.
    static func beginning(_ text: String) -> String { escaped(String(text.prefix(16))) + "%" }

    /// Escapes scalar by scalar, because a wildcard with an accent is still a wildcard to the database.
    private static func escaped(_ text: String) -> String {
        var pattern = ""
        for scalar in text.unicodeScalars {
            if scalar == "%" || scalar == "_" || scalar == "\\" { pattern.unicodeScalars.append("\\") }
            pattern.unicodeScalars.append(scalar)
        }
        return pattern
    }
}
