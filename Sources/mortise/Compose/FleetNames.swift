import Keys
import Postgres
import Tenancy

/// The names of all workspaces that have a database, for people: `ORGANIZATION/SLUG`.
struct FleetNames: Sendable {
    /// The names by the id of the workspace, in lower case.
    private let names: [String: String]

    /// Reads the organizations and workspaces of the installation.
    ///
    /// A control database with an older schema may lack what this version reads. It has no names then.
    static func read(_ connection: PostgresConnection) async throws -> FleetNames {
        do {
            return try await FleetNames(ControlStore(connection))
        } catch let error as PostgresError where error.sqlState != nil {
            return FleetNames(names: [:])
        }
    }

    private init(names: [String: String]) { self.names = names }

    private init(_ store: ControlStore) async throws {
        var organizations: [String: String] = [:]
        try await Self.pages {
            try await store.organizations($0)
        } each: {
            organizations[UUIDv7.text(of: $0.id)] = $0.slug
        }
        var names: [String: String] = [:]
        let filter = WorkspaceFilter(states: [.active, .suspended, .archived])
        try await Self.pages {
            try await store.workspaces($0, filter)
        } each: { workspace in
            let organization = organizations[UUIDv7.text(of: workspace.organizationID)] ?? "?"
            names[UUIDv7.text(of: workspace.id)] = "\(organization)/\(workspace.slug)"
        }
        self.init(names: names)
    }

    /// The number of workspaces.
    var count: Int { names.count }

    /// Returns the name of a workspace, or its slug if the workspace is newer than the list.
    func name(_ id: String, slug: String) -> String { names[id] ?? slug }

    /// Returns the id of the workspace that a person names.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if several workspaces have the slug, and `refused` if none has.
    func id(of name: String) throws(CommandFailure) -> String {
        if let id = name.id { return id }
        let found = names.filter { $0.value == name || (!name.contains("/") && $0.value.hasSuffix("/\(name)")) }
        guard let first = found.first else {
            throw .missing("workspace", name, near: names.values.sorted().map { ($0, "") }, list: "workspace list")
        }
        guard found.count == 1 else { throw .ambiguous("workspace", name, found.values.sorted()) }
        return first.key
    }

    private static func pages<Item>(
        _ read: (PageRequest) async throws -> Page<Item>,
        each: (Item) -> Void
    ) async throws {
        var position = PagePosition.first
        while true {
            let page = try await read(PageRequest(limit: 100, position))
            page.items.forEach(each)
            guard let next = page.next else { return }
            position = .after(next)
        }
    }
}

extension Array<String> {
    /// The first names, and the number of the others: "a, b, c and 17 more".
    var summary: String {
        let shown = prefix(3).joined(separator: ", ")
        return count > 3 ? "\(shown) and \(count - 3) more" : shown
    }
}
