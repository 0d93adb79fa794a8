import Keys
import Migrations
import Postgres
import Tenancy

/// The names of all workspaces that have a database, for people: `ORGANIZATION/SLUG`.
struct FleetNames: Sendable {
    /// The names by the id of the workspace, in lower case.
    private let names: [String: String]

    /// Reads the names of all workspaces that have a database.
    ///
    /// A control database that cannot answer has no names: the databases have their slugs then.
    static func read(_ connection: PostgresConnection) async throws -> FleetNames {
        do {
            return try await find(connection) ?? FleetNames(names: [:])
        } catch let error as PostgresError where error.sqlState != nil {
            return FleetNames(names: [:])
        }
    }

    /// Reads the names of all workspaces that have a database, whatever release the schema is of.
    ///
    /// - Returns: The names, or `nil` before the first start has made the tables.
    static func find(_ connection: PostgresConnection) async throws -> FleetNames? {
        let store = ControlStore(connection)
        var names: [String: String] = [:]
        do throws(PostgresError) {
            var page = try await store.workspaceNames(after: nil)
            while let last = page.last {
                for name in page { names[UUIDv7.text(of: name.id)] = "\(name.organizationSlug)/\(name.slug)" }
                page = try await store.workspaceNames(after: last.id)
            }
        } catch {
            guard error.sqlState == .undefinedTable else { throw error }
            return nil
        }
        return FleetNames(names: names)
    }

    private init(names: [String: String]) { self.names = names }

    /// The number of workspaces.
    var count: Int { names.count }

    /// Returns an outcome for each workspace that a run has not come to.
    func skipped(after outcomes: [FleetOutcome]) -> [FleetOutcome] {
        let known = Set(outcomes.map(\.id))
        return names.keys.filter { !known.contains($0) }.sorted()
            .map { FleetOutcome(id: $0, name: $0, status: .skipped) }
    }

    /// Returns the name of a workspace, or its slug if the workspace is newer than the list.
    func name(_ id: String, slug: String) -> String { names[id] ?? slug }

    /// Returns the id of the workspace that a person names.
    ///
    /// - Parameters:
    ///   - name: The id, the slug, or `ORGANIZATION/SLUG`.
    ///   - fate: A sentence about the changes so far, for a name that means no workspace or several.
    /// - Returns: The id, in lower case.
    /// - Throws: `CommandFailure` of kind `usage` if several workspaces have the slug, and `refused` if none has.
    func id(of name: String, fate: String) throws(CommandFailure) -> String {
        let id = name.id
        let found = names.filter { key, full in
            if let id { return key == id }
            return full == name || (!name.contains("/") && full.hasSuffix("/\(name)"))
        }
        guard let first = found.first else {
            let near = names.values.sorted().map { (name: $0, other: "") }
            throw CommandFailure.missing("workspace", name, near: near, list: "workspace list").adding(fate)
        }
        guard found.count == 1 else { throw .ambiguous("workspace", name, found.values.sorted(), fate: fate) }
        return first.key
    }
}

extension Array<String> {
    /// The first names, and the number of the others: "a, b, c and 17 more".
    var summary: String {
        let shown = prefix(3).joined(separator: ", ")
        return count > 3 ? "\(shown) and \(count - 3) more" : shown
    }
}
