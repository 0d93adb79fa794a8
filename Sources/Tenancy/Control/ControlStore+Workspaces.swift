public import FoundationEssentials
import Keys
import Postgres

/// A filter of workspaces.
///
/// A member that is `nil` or empty does not filter.
public struct WorkspaceFilter: Sendable {
    /// The organization.
    public var organizationID: UUID?
    /// The workspaces that the caller can see.
    package var ids: [UUID]?
    /// The states.
    public var states: [WorkspaceState]
    /// A part of the name or the slug, in any case.
    public var query: String?
    /// The beginning of the name, in any case.
    public var namePrefix: String?

    /// Creates a filter.
    public init(
        organizationID: UUID? = nil,
        states: [WorkspaceState] = [],
        query: String? = nil,
        namePrefix: String? = nil
    ) {
        self.organizationID = organizationID
        self.states = states
        self.query = query
        self.namePrefix = namePrefix
    }
}

extension ControlStore {
    private static let select = "SELECT \(Workspace.columns("w")) FROM control.workspaces w"

    private static let byID = Statement("\(select) WHERE w.id = $1")
    private static let byIDForUpdate = Statement("\(select) WHERE w.id = $1 AND w.state <> 'deleting' FOR UPDATE")
    private static let bySlug = Statement("\(select) WHERE w.organization_id = $1 AND w.slug = $2")
    private static let defaultOfOrganization = Statement("\(select) WHERE w.organization_id = $1 AND w.is_default")
    /// Ids of version 7 sort by the time at which they were generated.
    private static let fallback = Statement(
        """
        SELECT w.id FROM control.workspaces w
        WHERE w.organization_id = $1 AND w.state NOT IN ('archived', 'deleting')
            AND CASE WHEN $2::uuid[] IS NULL THEN w.is_default ELSE w.id = ANY ($2) END
        ORDER BY w.is_default DESC, w.id LIMIT 1
        """
    )
    private static let counts = Statement(
        "SELECT state, count(*), count(target_state) FROM control.workspaces GROUP BY state ORDER BY state",
        prepared: false
    )

    private static let countsByCluster = Statement(
        "SELECT cluster_id, count(*) FROM control.workspaces GROUP BY cluster_id",
        prepared: false
    )

    /// The parameters from 4 on: states, query, name prefix, ids.
    private static let filter = """
        (cardinality($4::text[]) = 0 OR w.state = ANY ($4))
        AND ($5::text IS NULL OR strpos(lower(coalesce(w.name, '') || ' ' || w.slug), lower($5)) > 0)
        AND ($6::text IS NULL OR starts_with(lower(w.name), lower($6))) AND ($7::uuid[] IS NULL OR w.id = ANY ($7))
        """
    private static let list = ListStatement(select, alias: "w", where: filter)
    private static let listOfOrganization = ListStatement(
        select,
        alias: "w",
        where: "w.organization_id = $8 AND \(filter)"
    )

    /// Returns a workspace by its id, whatever its state.
    public func workspace(_ id: UUID) async throws -> Workspace? {
        try await connection.query(Self.byID, [id]).first.map(Workspace.init(row:))
    }

    /// Returns a workspace by its id, locked until the transaction ends, or `nil` if it is being deleted.
    package func lockWorkspace(_ id: UUID) async throws -> Workspace? {
        try await connection.query(Self.byIDForUpdate, [id]).first.map(Workspace.init(row:))
    }

    /// Returns a workspace by its slug within an organization, whatever its state.
    public func workspace(slug: String, organization: UUID) async throws -> Workspace? {
        guard let slug = try? Slug(validating: slug) else { return nil }
        return try await connection.query(Self.bySlug, [organization, slug.text]).first.map(Workspace.init(row:))
    }

    /// Returns the default workspace of an organization.
    public func defaultWorkspace(of organization: UUID) async throws -> Workspace? {
        try await connection.query(Self.defaultOfOrganization, [organization]).first.map(Workspace.init(row:))
    }

    /// Returns the workspace of a request that names none: the default workspace, or else the oldest one that the
    /// caller reaches.
    ///
    /// Archived workspaces do not count.
    ///
    /// - Parameters:
    ///   - organization: The organization.
    ///   - reachable: The workspaces that the caller is confined to; `nil` for a caller that reaches all.
    /// - Returns: The workspace's id, or `nil` if there is none.
    /// - Throws: The database's errors.
    public func fallbackWorkspace(of organization: UUID, among reachable: Set<UUID>?) async throws -> UUID? {
        try await connection.query(Self.fallback, [organization, reachable.map(Array.init)]).first
            .map { try $0.decode(0) }
    }

    /// Returns a page of workspaces.
    public func workspaces(
        _ page: PageRequest,
        _ filter: WorkspaceFilter = WorkspaceFilter()
    ) async throws -> Page<Workspace> {
        var parameters: [any PostgresEncodable] = [
            filter.states.map(\.rawValue), filter.query, filter.namePrefix, filter.ids,
        ]
        if let organization = filter.organizationID { parameters.append(organization) }
        return try await (filter.organizationID == nil ? Self.list : Self.listOfOrganization)
            .page(
                page,
                parameters,
                on: connection,
                cursor: { PageCursor(createdAt: $0.createdAt, id: $0.id) },
                decode: Workspace.init(row:)
            )
    }

    /// Returns the number of workspaces in each state.
    public func workspaceCounts() async throws -> [WorkspaceCount] {
        try await connection.query(Self.counts)
            .map {
                WorkspaceCount(state: try $0.decode(0), count: try $0.decode(1), changing: try $0.decode(2))
            }
    }

    /// Returns the number of workspaces on each cluster that has any, by the cluster's id.
    func workspaceCountsByCluster() async throws -> [UUID: Int] {
        var counts: [UUID: Int] = [:]
        for row in try await connection.query(Self.countsByCluster) {
            let id: UUID = try row.decode(0)
            let count: Int = try row.decode(1)
            counts[id] = count
        }
        return counts
    }
}

/// The number of workspaces in one state.
public struct WorkspaceCount: Sendable, Hashable {
    /// The state as the database spells it, which a newer program may have written.
    public let state: String
    /// The number of workspaces.
    public let count: Int
    /// The number of those whose change to another state has begun and not ended.
    public let changing: Int
}
