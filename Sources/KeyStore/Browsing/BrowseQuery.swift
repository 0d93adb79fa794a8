import FoundationEssentials
import Keys
package import Postgres

/// The statements of one question for a page of keys.
///
/// The texts have only the conditions that the question has, so PostgreSQL can plan each of them with its index. They contain no value of
/// the question. The statements are not prepared, because there are many and each runs seldom.
package struct BrowseQuery: Sendable {
    /// The keys that a statement looks for, among those that the filters let through.
    ///
    /// A search has statements for each way to match its text, because no index finds both.
    package enum Match: Sendable {
        /// All keys, for a question without a text.
        case all
        /// The keys whose name or description contains the text.
        case named
        /// The keys that have a token which begins with the text.
        case token
    }

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

    /// A statement with its parameters.
    ///
    /// The first two columns of a row are the id of a key and the value that it is ordered by.
    package struct Bound: Sendable {
        /// The statement.
        package let statement: Statement
        /// The parameters.
        package let parameters: [any PostgresEncodable]
    }

    private let browse: KeyBrowse
    private let owner: KeyOwner
    private let table: KeyTable
    /// The number of keys to find.
    let limit: Int
    /// The parts of the list that come at or after the cursor, in their order.
    package let parts: [Part]

    /// Creates the statements.
    ///
    /// - Parameters:
    ///   - browse: The question.
    ///   - owner: The owner of the keys.
    ///   - limit: The number of keys to find.
    package init(_ browse: KeyBrowse, in owner: KeyOwner, limit: Int) {
        self.browse = browse
        self.owner = owner
        table = owner.statements.table
        self.limit = limit
        parts = Self.parts(of: browse)
    }

    private static func parts(of browse: KeyBrowse) -> [Part] {
        guard browse.order == .used else { return [.whole] }
        let parts: [Part] = browse.isAscending ? [.unused, .used] : [.used, .unused]
        guard let cursor = browse.cursor else { return parts }
        return Array(parts.drop { $0 != cursorPart(cursor) })
    }

    /// Returns the part of a list by the last use that has a cursor.
    private static func cursorPart(_ cursor: KeyBrowse.Cursor) -> Part {
        cursor.value == .time(.earliest) ? .unused : .used
    }

    /// True if the question has a text.
    var isSearch: Bool { browse.query != nil }

    /// True if the first keys in the order may lack those that the filters let through.
    ///
    /// In the other orders, PostgreSQL expects as many keys with a status as there are, and takes the index of the status or of the order.
    var isSelection: Bool {
        guard browse.order == .used, browse.unused == nil else { return false }
        if case .clients(subject: .some) = owner { return true }
        return browse.status != nil || browse.kind != nil || browse.mode != nil || browse.owner != nil
            || browse.endsBefore != nil
    }

    /// True if the keys are ordered by a text, and not by a time.
    var isByName: Bool { browse.order == .name }

    /// True if the text has a pair of characters, which the index of names and descriptions needs.
    var hasPairs: Bool { (browse.query ?? "").unicodeScalars.count > 1 }

    // MARK: Statements

    /// Returns the statement that reads the keys of a part of the list until it has found enough, by an index of the order.
    package func page(_ part: Part, _ match: Match, limit: Int) -> Bound {
        var draft = Draft(owner)
        var conditions = [table.isOwned(1)] + isIn(part)
        conditions += filters(part, &draft) + self.match(match, &draft) + cursor(part, &draft)
        let count = draft.parameter(limit)
        return draft.bound(
            """
            SELECT k.id, \(value(part)) FROM \(source(part))
            WHERE \(conditions.joined(separator: " AND "))
            \(order(by: sortKeys(part))) LIMIT \(count)
            """
        )
    }

    /// The number of the first keys in the order.
    ///
    /// If fewer than one in twenty have a text, finding all that have it takes a few milliseconds. Each key of the last uses is looked up,
    /// so fewer are read without a text.
    private var headLength: Int { limit * (isSearch ? 20 : 5) }

    /// Returns the statement that looks among the first keys of a part of the list for those that the filters let through and whose name or
    /// description contains the text.
    ///
    /// Its rows are the answer if there are as many as are asked for. PostgreSQL does not know whether there are, because its statistics
    /// tell neither how often a text occurs nor what a status has to do with the last use.
    package func head(_ part: Part) -> Bound {
        var draft = Draft(owner)
        let position = cursor(part, &draft)
        let length = draft.parameter(headLength)
        let conditions = isIn(part) + filters(part, &draft) + match(.named, &draft)
        let count = draft.parameter(limit)
        let first =
            switch part {
            case .whole, .unused:
                """
                (SELECT k.* FROM \(table.name) k WHERE \(([table.isOwned(1)] + position).joined(separator: " AND "))
                    \(order(by: sortKeys(part))) LIMIT \(length)) k
                """
            case .used:
                // The limit of 1 keeps PostgreSQL from looking for the text in all keys before it joins those of the first uses.
                """
                (SELECT l.* FROM auth.key_usage l WHERE \((["true"] + position).joined(separator: " AND "))
                    \(order(by: sortKeys(part))) LIMIT \(length)) l
                CROSS JOIN LATERAL (SELECT k.* FROM \(table.name) k WHERE k.id = l.key_id AND \(table.isOwned(1)) LIMIT 1) k
                """
            }
        return draft.bound(
            """
            SELECT k.id, \(value(part)) FROM \(first)
            WHERE \(conditions.joined(separator: " AND ")) \(order(by: sortKeys(part))) LIMIT \(count)
            """
        )
    }

    /// Returns the statement that finds the keys by an index of the text or of the status, and orders them.
    ///
    /// It reads at most one key more than `few`. Its rows are the answer if the third column, the number of keys that match, is at most
    /// `few`.
    package func selection() -> Bound {
        var draft = Draft(owner)
        var conditions = [table.isOwned(1)] + (isSearch ? [pairs(&draft)] : [])
        conditions += filters(.whole, &draft) + match(.named, &draft) + cursor(.whole, &draft)
        let (most, count) = (draft.parameter(few + 1), draft.parameter(limit))
        return draft.bound(
            """
            WITH found AS MATERIALIZED (
                SELECT k.id, \(value(.whole)) AS value FROM \(table.name) k
                WHERE \(conditions.joined(separator: " AND ")) LIMIT \(most)
            )
            SELECT f.id, f.value, (SELECT count(*) FROM found) FROM found f
            \(order(by: ["f.value", "f.id"])) LIMIT \(count)
            """
        )
    }

    /// The maximum number of keys that are found by an index of their own.
    ///
    /// If more match, reading all keys in their order finds enough of them soon, unless the order has to do with the text or the status. It
    /// often has: revoked keys are those that are used no more. So without a text, for which nothing is compared, the number is larger.
    var few: Int { limit * (isSearch ? 40 : 100) }

    /// Returns the statement that orders some keys.
    func some(_ ids: Set<UUID>) -> Bound {
        var draft = Draft(owner)
        let (keys, count) = (draft.parameter(Array(ids)), draft.parameter(limit))
        return draft.bound(
            """
            SELECT k.id, \(value(.whole)) FROM \(table.name) k WHERE k.id = ANY (\(keys)) AND \(table.isOwned(1))
            \(order(by: sortKeys(.whole))) LIMIT \(count)
            """
        )
    }

    // MARK: Parts of statements

    /// The parameters of a statement that is being composed, first those of `KeyTable.isOwned`.
    private struct Draft {
        private var parameters: [any PostgresEncodable]

        init(_ owner: KeyOwner) { parameters = owner.parameters }

        mutating func parameter(_ value: any PostgresEncodable) -> String {
            parameters.append(value)
            return "$\(parameters.count)"
        }

        mutating func parameter(of value: KeyBrowse.Cursor.Value) -> String {
            switch value {
            case .text(let text): parameter(text)
            case .time(let time): parameter(time.stored)
            }
        }

        func bound(_ sql: String) -> Bound {
            Bound(statement: Statement(sql, prepared: false), parameters: parameters)
        }
    }

    private func match(_ match: Match, _ draft: inout Draft) -> [String] {
        guard let query = browse.query else { return [] }
        switch match {
        case .all: return []
        case .named:
            let pattern = draft.parameter(LikePattern.anywhere(query))
            return ["(k.name ILIKE \(pattern) OR k.description ILIKE \(pattern))"]
        case .token:
            // The beginning of a token has an index of its own, in which only LIKE without ILIKE finds it.
            let prefix = draft.parameter(LikePattern.beginning(query))
            return [
                """
                k.id IN (SELECT s.\(table.secretColumn) FROM auth.key_secrets s WHERE s.prefix LIKE \(prefix)
                    AND s.\(table.secretColumn) IS NOT NULL)
                """
            ]
        }
    }

    /// Returns the condition of the index of names and descriptions, which every key of the match `named` meets.
    ///
    /// The expression is the one of the index. ILIKE compares texts in lower case, too.
    private func pairs(_ draft: inout Draft) -> String {
        let text = draft.parameter(browse.query ?? "")
        return """
            auth.character_pairs(lower(k.name) || E'\\n' || lower(coalesce(k.description, ''))) COLLATE "C"
            @> auth.character_pairs(lower(\(text)::text))
            """
    }

    private func filters(_ part: Part, _ draft: inout Draft) -> [String] {
        var conditions: [String] = []
        if let status = browse.status { conditions.append(Self.has(status)) }
        if let kind = browse.kind { conditions.append("\(table.kind) = \(draft.parameter(kind.rawValue))") }
        if let mode = browse.mode { conditions.append("k.mode = \(draft.parameter(mode.rawValue))") }
        if let owner = browse.owner {
            let column = table.kind == KeyTable.client.kind ? "k.subject" : "k.created_by"
            conditions.append("\(column) = \(draft.parameter(owner))")
        }
        if let end = browse.endsBefore {
            conditions.append(Self.works)
            conditions.append("\(Self.end) < \(draft.parameter(end.stored))")
        }
        if let unused = browse.unused { conditions += filter(unused, part, &draft) }
        return conditions
    }

    private func filter(_ unused: KeyBrowse.Unused, _ part: Part, _ draft: inout Draft) -> [String] {
        switch unused {
        case .ever:
            switch part {
            case .whole: return [Self.isUnused]
            case .unused: return []
            case .used: return ["false"]
            }
        case .since(let instant):
            let time = draft.parameter(instant.stored)
            let isOlder = "k.created_at < \(time)"
            switch part {
            case .whole:
                return [
                    isOlder,
                    "NOT EXISTS (SELECT FROM auth.key_usage u WHERE u.key_id = k.id AND u.last_used_at >= \(time))",
                ]
            case .unused: return [isOlder]
            case .used: return [isOlder, "l.last_used_minute <= \(Self.minute(time))", "l.last_used_at < \(time)"]
            }
        }
    }

    private func cursor(_ part: Part, _ draft: inout Draft) -> [String] {
        guard let cursor = browse.cursor else { return [] }
        let comparison = browse.isAscending ? ">" : "<"
        switch part {
        case .whole:
            let (first, id) = (draft.parameter(of: cursor.value), draft.parameter(cursor.id))
            return ["(\(value(part)), k.id) \(comparison) (\(first), \(id))"]
        case .unused:
            guard Self.cursorPart(cursor) == .unused else { return [] }
            return ["k.id \(comparison) \(draft.parameter(cursor.id))"]
        case .used:
            guard Self.cursorPart(cursor) == .used else { return [] }
            let (time, id) = (draft.parameter(of: cursor.value), draft.parameter(cursor.id))
            return [
                "l.last_used_minute \(comparison)= \(Self.minute(time))",
                "(l.last_used_at, l.key_id) \(comparison) (\(time), \(id))",
            ]
        }
    }

    // MARK: The order

    private func source(_ part: Part) -> String {
        switch part {
        case .whole, .unused: "\(table.name) k"
        case .used: "auth.key_usage l JOIN \(table.name) k ON k.id = l.key_id"
        }
    }

    /// Returns the conditions of the keys of a part.
    private func isIn(_ part: Part) -> [String] {
        switch part {
        case .whole: []
        case .unused: [Self.isUnused]
        case .used: [Self.isLastUse]
        }
    }

    /// Returns the value that the keys are ordered by, as an expression.
    ///
    /// For the last use in the whole list, it is a query for each key.
    private func value(_ part: Part) -> String {
        switch browse.order {
        case .name: "lower(k.name)"
        case .created: "k.created_at"
        case .ends: Self.end
        case .used:
            switch part {
            case .whole:
                "coalesce((SELECT max(u.last_used_at) FROM auth.key_usage u WHERE u.key_id = k.id), \(Self.earliest))"
            case .unused: Self.earliest
            case .used: "l.last_used_at"
            }
        }
    }

    /// Returns the expressions by which a part is sorted, the first of which have an index.
    private func sortKeys(_ part: Part) -> [String] {
        switch part {
        case .whole: [value(part), "k.id"]
        case .unused: ["k.id"]
        case .used: ["l.last_used_minute", "l.last_used_at", "l.key_id"]
        }
    }

    private func order(by values: [String]) -> String {
        let direction = browse.isAscending ? "ASC" : "DESC"
        return "ORDER BY \(values.map { "\($0) \(direction)" }.joined(separator: ", "))"
    }

    // MARK: Conditions

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
        case .disabled: "k.disabled_at IS NOT NULL AND k.revoked_at IS NULL AND NOT \(hasEnded)"
        case .deprecated: "k.deprecated_at IS NOT NULL AND \(works)"
        case .active: "\(works) AND k.deprecated_at IS NULL"
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
        text.escaping(by: "\\") { $0 == "%" || $0 == "_" || $0 == "\\" }
    }
}
