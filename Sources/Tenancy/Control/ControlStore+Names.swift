public import FoundationEssentials
import Keys
public import Postgres

/// The name of a workspace that has a database.
public struct WorkspaceName: Sendable, Hashable {
    /// The workspace's id.
    public let id: UUID
    /// The slug of its organization.
    public let organizationSlug: String
    /// Its slug.
    public let slug: String
}

extension ControlStore {
    /// The columns are those that every release has had: a migration asks before the schema has this program's form.
    private static let names = Statement(
        """
        SELECT w.id, o.slug, w.slug FROM control.workspaces w JOIN control.organizations o ON o.id = w.organization_id
        WHERE w.state NOT IN ('creating', 'deleting') AND w.id > $1 ORDER BY w.id LIMIT 1000
        """,
        prepared: false
    )

    /// Reads the names of up to 1,000 workspaces that have a database, oldest first, whatever release the schema is of.
    ///
    /// - Parameter id: The id of the last workspace that is known; `nil` begins with the oldest.
    /// - Returns: The names. An empty array is the end.
    /// - Throws: The database's errors: `undefinedTable` before the first start has made the tables.
    public func workspaceNames(after id: UUID?) async throws(PostgresError) -> [WorkspaceName] {
        let start = id ?? UUIDv7.beforeAll
        var names: [WorkspaceName] = []
        for row in try await connection.query(Self.names, [start]) {
            names.append(
                WorkspaceName(id: try row.decode(0), organizationSlug: try row.decode(1), slug: try row.decode(2))
            )
        }
        return names
    }
}
