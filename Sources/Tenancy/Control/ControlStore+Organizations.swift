public import FoundationEssentials
import Postgres

extension ControlStore {
    private static let select = """
        SELECT \(Organization.columns("o", defaultWorkspace: "w.id")) FROM control.organizations o
        LEFT JOIN control.workspaces w ON w.organization_id = o.id AND w.is_default
        """

    private static let byID = Statement("\(select) WHERE o.id = $1")
    private static let byIDForUpdate = Statement("\(select) WHERE o.id = $1 FOR UPDATE OF o")
    private static let bySlug = Statement("\(select) WHERE o.slug = $1")
    private static let list = ListStatement(
        select,
        alias: "o",
        where: "($4::text IS NULL OR strpos(lower(o.name || ' ' || o.slug), lower($4)) > 0)"
    )

    /// Returns an organization by its id.
    public func organization(_ id: UUID) async throws -> Organization? {
        try await connection.query(Self.byID, [id]).first.map(Organization.init(row:))
    }

    /// Returns an organization by its id, locked until the transaction ends.
    package func lockOrganization(_ id: UUID) async throws -> Organization? {
        try await connection.query(Self.byIDForUpdate, [id]).first.map(Organization.init(row:))
    }

    /// Returns an organization by its slug.
    public func organization(slug: String) async throws -> Organization? {
        guard let slug = try? Slug(validating: slug) else { return nil }
        return try await connection.query(Self.bySlug, [slug.text]).first.map(Organization.init(row:))
    }

    /// Returns a page of organizations.
    ///
    /// - Parameters:
    ///   - page: The page.
    ///   - query: A part of the name or the slug, in any case; `nil` does not filter.
    /// - Returns: The page.
    /// - Throws: The database's errors.
    public func organizations(_ page: PageRequest, query: String? = nil) async throws -> Page<Organization> {
        try await Self.list.page(
            page,
            [query],
            on: connection,
            cursor: { PageCursor(createdAt: $0.createdAt, id: $0.id) },
            decode: Organization.init(row:)
        )
    }
}
