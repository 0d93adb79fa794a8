import Keys
package import Postgres

/// The SQL of a part of one question for a page of keys.
///
/// The text has only the conditions that the question has, so PostgreSQL can plan each of them with its index. It contains no value of
/// the question. The statements are not prepared, because there are many and each runs seldom.
package struct BrowseQuery {
    /// A part of a list, whose keys come before those of the next part.
    ///
    /// The order by the last use has two parts, because no index has both the keys that were used and the others.
    package enum Part: Sendable {
        /// All keys.
        case whole
        /// The keys that were never used.
        case unused
        /// The keys that were used.
        case used
    }

    /// Returns the parts of a question's list that come at or after its cursor, in their order.
    package static func parts(of browse: KeyBrowse) -> [Part] {
        guard browse.order == .used else { return [.whole] }
        let parts: [Part] = browse.isAscending ? [.unused, .used] : [.used, .unused]
        guard let cursor = browse.cursor else { return parts }
        return Array(parts.drop { $0 != cursorPart(cursor) })
    }

    /// Returns the part of a list by the last use that has a cursor.
    private static func cursorPart(_ cursor: KeyBrowse.Cursor) -> Part {
        cursor.value == .time(.earliest) ? .unused : .used
    }

    private let table: KeyTable
    private let part: Part
    /// The parameters of the statement.
    package private(set) var parameters: [any PostgresEncodable]
    private var conditions: [String]

    /// Creates the query for a part of a question's list.
    package init(_ browse: KeyBrowse, _ part: Part, in owner: KeyOwner) {
        table = owner.statements.table
        self.part = part
        parameters = owner.parameters
        conditions = [table.isOwned(1)]
        add(browse)
    }

    /// Returns the statement for the ids of the page and the values that they are ordered by.
    package mutating func statement(_ browse: KeyBrowse, limit: Int) -> Statement {
        if let cursor = browse.cursor { add(cursor, browse) }
        let direction = browse.isAscending ? "ASC" : "DESC"
        let order = sortKeys(browse.order).map { "\($0) \(direction)" }.joined(separator: ", ")
        return Statement(
            """
            SELECT k.id, \(value(browse.order)) FROM \(source)
            WHERE \(conditions.joined(separator: " AND "))
            ORDER BY \(order) LIMIT \(parameter(limit))
            """,
            prepared: false
        )
    }

    private mutating func parameter(_ value: any PostgresEncodable) -> String {
        parameters.append(value)
        return "$\(parameters.count)"
    }

    private mutating func parameter(of value: KeyBrowse.Cursor.Value) -> String {
        switch value {
        case .text(let text): parameter(text)
        case .time(let time): parameter(time.stored)
        }
    }

    // MARK: Conditions

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
        if let kind = browse.kind { conditions.append("\(table.kind) = \(parameter(kind.rawValue))") }
        if let mode = browse.mode { conditions.append("k.mode = \(parameter(mode.rawValue))") }
        if let owner = browse.owner {
            let column = table.kind == KeyTable.client.kind ? "k.subject" : "k.created_by"
            conditions.append("\(column) = \(parameter(owner))")
        }
        if let end = browse.endsBefore {
            conditions.append(Self.works)
            conditions.append("\(Self.end) < \(parameter(end.stored))")
        }
        switch part {
        case .whole: break
        case .unused: conditions.append(Self.isUnused)
        case .used: conditions.append(Self.isLastUse)
        }
        if let unused = browse.unused { add(unused) }
    }

    private mutating func add(_ unused: KeyBrowse.Unused) {
        switch unused {
        case .ever:
            switch part {
            case .whole: conditions.append(Self.isUnused)
            case .unused: break
            case .used: conditions.append("false")
            }
        case .since(let instant):
            let time = parameter(instant.stored)
            conditions.append("k.created_at < \(time)")
            switch part {
            case .whole:
                conditions.append(
                    "NOT EXISTS (SELECT FROM auth.key_usage u WHERE u.key_id = k.id AND u.last_used_at >= \(time))"
                )
            case .unused: break
            case .used: conditions += ["l.last_used_minute <= \(Self.minute(time))", "l.last_used_at < \(time)"]
            }
        }
    }

    private mutating func add(_ cursor: KeyBrowse.Cursor, _ browse: KeyBrowse) {
        let comparison = browse.isAscending ? ">" : "<"
        switch part {
        case .whole:
            let first = parameter(of: cursor.value)
            conditions.append("(\(value(browse.order)), k.id) \(comparison) (\(first), \(parameter(cursor.id)))")
        case .unused:
            guard Self.cursorPart(cursor) == .unused else { return }
            conditions.append("k.id \(comparison) \(parameter(cursor.id))")
        case .used:
            guard Self.cursorPart(cursor) == .used else { return }
            let time = parameter(of: cursor.value)
            conditions.append("l.last_used_minute \(comparison)= \(Self.minute(time))")
            conditions.append("(l.last_used_at, k.id) \(comparison) (\(time), \(parameter(cursor.id)))")
        }
    }

    private static let isUnused = "NOT EXISTS (SELECT FROM auth.key_usage u WHERE u.key_id = k.id)"

    /// The condition of the row of a key's last use, of which each secret of the key has one.
    private static let isLastUse = """
        NOT EXISTS (SELECT FROM auth.key_usage u WHERE u.key_id = l.key_id
            AND (u.last_used_at, u.secret_id) > (l.last_used_at, l.secret_id))
        """

    /// Returns the minute of a time, as the column `last_used_minute` has it.
    private static func minute(_ time: String) -> String { "date_trunc('minute', \(time) AT TIME ZONE 'UTC')" }

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

    // MARK: The order

    private var source: String {
        switch part {
        case .whole, .unused: "\(table.name) k"
        case .used: "auth.key_usage l JOIN \(table.name) k ON k.id = l.key_id"
        }
    }

    /// Returns the value that the keys are ordered by, as an expression.
    private func value(_ order: KeyBrowse.Order) -> String {
        switch order {
        case .name: "lower(k.name)"
        case .created: "k.created_at"
        case .ends: Self.end
        case .used: part == .used ? "l.last_used_at" : Self.earliest
        }
    }

    /// Returns the expressions by which the part is sorted, the first of which have an index.
    private func sortKeys(_ order: KeyBrowse.Order) -> [String] {
        switch part {
        case .whole: [value(order), "k.id"]
        case .unused: ["k.id"]
        case .used: ["l.last_used_minute", "l.last_used_at", "k.id"]
        }
    }
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
