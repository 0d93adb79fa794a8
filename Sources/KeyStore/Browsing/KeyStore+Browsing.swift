public import FoundationEssentials
public import Keys
import Postgres

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
        var found: [KeyBrowse.Cursor] = []
        for part in BrowseQuery.parts(of: browse) where found.count <= limit {
            var query = BrowseQuery(browse, part, in: owner)
            let statement = query.statement(browse, limit: limit + 1 - found.count)
            for row in try await connection.query(statement, query.parameters) {
                let value: KeyBrowse.Cursor.Value =
                    browse.order == .name ? .text(try row.decode(1)) : .time(try row.timestamp(1))
                found.append(KeyBrowse.Cursor(value: value, id: try row.decode(0)))
            }
        }
        let page = found.prefix(limit)
        let keys = try await find(page.map(\.id), in: owner)
        return KeyBrowsePage(keys: keys, next: found.count > limit ? page.last : nil)
    }

    /// Returns the keys of an owner that have one of some ids, in the order of the ids.
    public func find(_ ids: [UUID], in owner: KeyOwner) async throws -> [KeyRecord] {
        if ids.isEmpty { return [] }
        let rows = try await connection.query(owner.statements.some, [ids] + owner.parameters)
        var known: [UUID: KeyRecord] = [:]
        for key in try await withSecrets(rows.map { try KeyRecord(row: $0) }, owner) { known[key.id] = key }
        return ids.compactMap { known[$0] }
    }

    /// Returns the number of an owner's keys by status.
    public func statusCounts(in owner: KeyOwner) async throws -> [KeyStatus: Int] {
        let rows = try await connection.query(owner.statements.statusCounts, owner.parameters)
        let row = try rows.first.orMissing()
        var counts: [KeyStatus: Int] = [:]
        for (index, status) in KeyStatus.allCases.enumerated() {
            counts[status] = Int(try row.decode(index, as: Int64.self))
        }
        return counts
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
