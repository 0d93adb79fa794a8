public import FoundationEssentials
public import Keys
package import Postgres

extension KeyStore {
    /// Returns a page of keys that a person looks through.
    ///
    /// - Parameters:
    ///   - browse: The question.
    ///   - owner: The owner of the keys.
    ///   - limit: The maximum number of keys.
    /// - Returns: The page.
    /// - Throws: The database's errors.
    public func browse(_ browse: KeyBrowse, in owner: KeyOwner, limit: Int) async throws -> KeyBrowsePage {
        let found = try await positions(BrowseQuery(browse, in: owner, limit: limit + 1))
        let page = found.prefix(limit)
        let keys = try await find(page.map(\.id), in: owner)
        return KeyBrowsePage(keys: keys, next: found.count > limit ? page.last : nil)
    }

    /// Returns the positions of the first keys that a question asks for.
    private func positions(_ query: BrowseQuery) async throws -> [KeyBrowse.Cursor] {
        guard query.isSearch else {
            if query.isSelection, let found = try await foundAtOnce(query) { return found }
            return try await positions(query, .all)
        }
        let named = try await positions(query, .named)
        let withToken = try await positions(query, .token)
        if withToken.isEmpty { return named }
        if named.isEmpty { return withToken }
        let merged = query.some(Set((named + withToken).map(\.id)))
        return try await connection.query(merged.statement, merged.parameters).map { try cursor($0, query) }
    }

    private func positions(_ query: BrowseQuery, _ match: BrowseQuery.Match) async throws -> [KeyBrowse.Cursor] {
        if match == .named, query.hasPairs, let found = try await foundAtOnce(query) { return found }
        var found: [KeyBrowse.Cursor] = []
        for part in query.parts where found.count < query.limit {
            let page = query.page(part, match, limit: query.limit - found.count)
            found += try await connection.query(page.statement, page.parameters).map { try cursor($0, query) }
        }
        return found
    }

    /// Returns the positions of the first keys that the filters let through and that have the text in their name or description, or `nil`
    /// if all keys have to be read for them.
    ///
    /// If many keys match, enough of them are among the first ones in the order. If few match, an index of its own finds them.
    private func foundAtOnce(_ query: BrowseQuery) async throws -> [KeyBrowse.Cursor]? {
        let head = query.head(query.parts[0])
        let first = try await connection.query(head.statement, head.parameters)
        if first.count == query.limit { return try first.map { try cursor($0, query) } }
        guard let found = try await rows(query.selection()) else { return nil }
        let number = try found.first?.decode(2, as: Int64.self) ?? 0
        return number <= query.few ? try found.map { try cursor($0, query) } : nil
    }

    /// Returns the rows of a statement, or `nil` if the database lacks its index.
    ///
    /// New servers run before the workspaces are migrated.
    private func rows(_ selection: BrowseQuery.Bound) async throws(PostgresError) -> Rows? {
        do throws(PostgresError) {
            return try await connection.query(selection.statement, selection.parameters)
        } catch {
            guard error.sqlState == .undefinedFunction else { throw error }
            return nil
        }
    }

    private func cursor(_ row: Row, _ query: BrowseQuery) throws -> KeyBrowse.Cursor {
        let value: KeyBrowse.Cursor.Value = query.isByName ? .text(try row.decode(1)) : .time(try row.timestamp(1))
        return KeyBrowse.Cursor(value: value, id: try row.decode(0))
    }

    /// Returns the query for the numbers of a table: of all keys, of the revoked, the expired, the disabled and the deprecated ones.
    ///
    /// The conditions are those of `BrowseQuery.has`, and those that few keys meet come first. One index has all of their columns.
    private static func numbers(_ table: KeyTable) -> String {
        """
        SELECT count(*), count(k.revoked_at),
            count(*) FILTER (WHERE k.revoked_at IS NULL
                AND (k.ended_at IS NOT NULL OR k.expires_at <= now() OR k.grace_period_ends_at <= now())),
            count(*) FILTER (WHERE \(BrowseQuery.has(.disabled))),
            count(*) FILTER (WHERE \(BrowseQuery.has(.deprecated)))
        FROM \(table.name) k
        """
    }

    /// The numbers of both tables.
    package static let statusNumbers = Statement(
        "SELECT s.*, c.* FROM (\(numbers(.service))) s, (\(numbers(.client))) c"
    )

    /// Returns the number of a workspace's keys by status: of its service keys, and of its client keys.
    ///
    /// The connection is one to the workspace's database.
    ///
    /// - Returns: The numbers, also those that are zero.
    /// - Throws: The database's errors.
    public func statusCounts() async throws -> (service: [KeyStatus: Int], client: [KeyStatus: Int]) {
        let row = try await connection.query(Self.statusNumbers).first.orMissing()
        return (try Self.counts(row, from: 0), try Self.counts(row, from: 5))
    }

    private static func counts(_ row: Row, from column: Int) throws -> [KeyStatus: Int] {
        let numbers = try (column..<column + 5).map { Int(try row.decode($0, as: Int64.self)) }
        return [
            .active: numbers[0] - numbers[1...].reduce(0, +), .revoked: numbers[1], .expired: numbers[2],
            .disabled: numbers[3], .deprecated: numbers[4],
        ]
    }

    /// Returns the distinct scopes, and the distinct owners, of the newest keys.
    ///
    /// They are suggestions, so the older keys do not matter.
    ///
    /// - Parameter owner: The owner of the keys.
    /// - Returns: Up to a hundred of each, in alphabetical order.
    /// - Throws: The database's errors.
    public func suggestions(in owner: KeyOwner) async throws -> (scopes: [String], owners: [String]) {
        let scopes = try await connection.query(owner.statements.usedScopes, owner.parameters)
        let owners = try await connection.query(owner.statements.usedOwners, owner.parameters)
        return (try scopes.map { try $0.decode(0) }, try owners.map { try $0.decode(0) })
    }

    /// Returns the ids of up to a hundred keys that a person means by a name, in any case, or by the beginning of a token.
    ///
    /// - Parameters:
    ///   - text: The name, or the beginning of a token at least as far as `_live_` or `_test_`.
    ///   - owner: The owner of the keys.
    /// - Returns: The ids.
    /// - Throws: The database's errors.
    public func ids(named text: String, in owner: KeyOwner) async throws -> [UUID] {
        let table = owner.statements.table
        let select = "SELECT k.id FROM \(table.name) k WHERE \(table.isOwned(1)) AND"
        let first = table.ownerCount + 1
        var sql = "\(select) lower(k.name) = lower($\(first)::text)"
        var parameters = owner.parameters + [text]
        if ["_live_", "_test_"].contains(where: text.contains) {
            sql += """
                 UNION \(select) k.id IN (SELECT s.\(table.secretColumn) FROM auth.key_secrets s WHERE s.prefix LIKE $\(first + 1)
                    AND s.\(table.secretColumn) IS NOT NULL)
                """
            parameters.append(LikePattern.beginning(text))
        }
        // Only a plan for this very text finds the beginning of a token by its index.
        let statement = Statement("\(sql) LIMIT 100", prepared: false)
        return try await connection.query(statement, parameters).map { try $0.decode(0) }
    }

    private static let adminKeyNames = Statement(
        "SELECT id, name FROM auth.service_keys WHERE id = ANY ($1) AND organization_id = $2"
    )

    /// Returns the names of admin keys of an organization, by id.
    public func names(ofAdminKeys ids: [UUID], organization: UUID) async throws -> [UUID: String] {
        var names: [UUID: String] = [:]
        for row in try await connection.query(Self.adminKeyNames, [ids, organization]) {
            names[try row.decode(0)] = try row.decode(1, as: String.self)
        }
        return names
    }
}
