public import FoundationEssentials
import Postgres

extension ControlStore {
    private static let select = """
        SELECT \(Organization.columns("o", defaultWorkspace: "w.id")) FROM control.organizations o
        LEFT JOIN control.workspaces w ON w.organization_id = o.id AND w.is_default
        """

    private static let insertOrganization = Statement(
        """
        WITH made AS (
            INSERT INTO control.organizations (id, name, slug, token_prefix) VALUES ($1, $2, $3, $4)
            ON CONFLICT (slug) DO NOTHING
            RETURNING *
        ), noted AS (
            INSERT INTO auth.key_events (id, organization_id, type, actor, address, request_id, changes)
            SELECT $5, made.id, 'organization.created', $6, $7, $8, jsonb_build_object(
                'name', jsonb_build_object('from', NULL, 'to', made.name),
                'slug', jsonb_build_object('from', NULL, 'to', made.slug))
            FROM made
        )
        SELECT \(Organization.columns("made", defaultWorkspace: "NULL::uuid")) FROM made
        """
    )

    private static let changeOrganization = Statement(
        """
        WITH old AS (
            SELECT * FROM control.organizations WHERE id = $1 FOR UPDATE
        ), changed AS (
            UPDATE control.organizations o
            SET name = coalesce($2, old.name), slug = coalesce($3, old.slug),
                token_prefix = CASE WHEN $4 THEN $5 ELSE old.token_prefix END, updated_at = now()
            FROM old WHERE o.id = old.id
            RETURNING o.*
        ), noted AS (
            INSERT INTO auth.key_events (id, organization_id, type, actor, address, request_id, changes)
            SELECT $6, changed.id, 'organization.updated', $7, $8, $9,
                (SELECT coalesce(jsonb_object_agg(member, jsonb_build_object('from', was, 'to', is_now)), '{}') FROM (VALUES
                    ('name', old.name, changed.name), ('slug', old.slug, changed.slug),
                    ('token_prefix', old.token_prefix, changed.token_prefix)) difference (member, was, is_now)
                    WHERE was IS DISTINCT FROM is_now)
            FROM old JOIN changed ON changed.id = old.id
        )
        SELECT \(Organization.columns("changed", defaultWorkspace: "w.id")) FROM changed
        LEFT JOIN control.workspaces w ON w.organization_id = changed.id AND w.is_default
        """
    )

    private static let byID = Statement("\(select) WHERE o.id = $1")
    private static let bySlug = Statement("\(select) WHERE o.slug = $1")
    private static let list = ListStatement(
        select,
        alias: "o",
        where: "($4::text IS NULL OR strpos(lower(o.name || ' ' || o.slug), lower($4)) > 0)"
    )

    /// Makes an organization, without workspaces.
    ///
    /// - Throws: `invalid` naming the field, `slugTaken`.
    public func createOrganization(_ new: NewOrganization, by attribution: Attribution) async throws -> Organization {
        try Self.check(name: new.name)
        try Self.check(tokenPrefix: new.tokenPrefix)
        let id = identifiers.id()
        return try await withSlug(new.slug, name: new.name, fallback: "organization") { slug in
            try await connection
                .query(
                    Self.insertOrganization,
                    [id, new.name, slug.text, new.tokenPrefix] + event(attribution)
                )
                .first.map(Organization.init(row:))
        }
    }

    /// An organization by its id.
    public func organization(_ id: UUID) async throws -> Organization? {
        try await connection.query(Self.byID, [id]).first.map(Organization.init(row:))
    }

    /// An organization by its slug.
    public func organization(slug: String) async throws -> Organization? {
        guard let slug = try? Slug(validating: slug) else { return nil }
        return try await connection.query(Self.bySlug, [slug.text]).first.map(Organization.init(row:))
    }

    /// A page of organizations; `query` is part of a name or a slug, whatever the case.
    public func organizations(_ page: PageRequest, query: String? = nil) async throws -> Page<Organization> {
        try await Self.list.page(
            page,
            [query],
            on: connection,
            place: { PageCursor(createdAt: $0.createdAt, id: $0.id) },
            decode: Organization.init(row:)
        )
    }

    /// Changes an organization.
    ///
    /// - Throws: `unknownOrganization`, `invalid` naming the field, `slugTaken`.
    public func updateOrganization(
        _ id: UUID,
        _ change: OrganizationChange,
        by attribution: Attribution
    ) async throws -> Organization {
        if let name = change.name { try Self.check(name: name) }
        try Self.check(tokenPrefix: change.tokenPrefix ?? nil)
        let slug = try change.slug.map { try Slug(validating: $0).text }
        do throws(PostgresError) {
            let rows = try await connection.query(
                Self.changeOrganization,
                [id, change.name, slug, change.tokenPrefix != nil, change.tokenPrefix ?? nil] + event(attribution)
            )
            if let row = rows.first { return try Organization(row: row) }
        } catch {
            guard error.constraint == "organizations_slug_key" else { throw error }
            throw TenancyError(.slugTaken, "the slug is taken", field: "slug")
        }
        throw TenancyError.unknownOrganization
    }

    private static func check(tokenPrefix: String?) throws(TenancyError) {
        guard let bytes = tokenPrefix?.utf8 else { return }
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard (1...4).contains(bytes.count), bytes.first.map(letters.contains) == true,
            bytes.allSatisfy({ letters.contains($0) || digits.contains($0) })
        else {
            throw TenancyError(
                .invalid,
                "a token prefix is a letter and up to three letters or digits, in lower case",
                field: "token_prefix"
            )
        }
    }
}
