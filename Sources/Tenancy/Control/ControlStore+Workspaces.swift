public import FoundationEssentials
import Keys
import Postgres

/// Which workspaces a list shows; what is `nil` or empty does not filter.
public struct WorkspaceFilter: Sendable {
    /// Of one organization.
    public var organizationID: UUID?
    /// Only these, for whoever sees no more.
    package var ids: [UUID]?
    /// In one of these states.
    public var states: [WorkspaceState]
    /// With this in the name or the slug, whatever the case.
    public var query: String?
    /// With a name that begins so, whatever the case.
    public var namePrefix: String?

    /// Filters by what is given.
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

    private static let insertWorkspace = Statement(
        """
        WITH given AS (
            INSERT INTO control.workspace_refs (ref) VALUES ($3)
        ), made AS (
            INSERT INTO control.workspaces
                (id, organization_id, ref, slug, name, cluster_id, database, is_default, data_retention, state, state_event_id,
                metadata)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9, '{"unit": "days", "value": 7}'), 'creating', $10,
                coalesce($14, '{}'))
            ON CONFLICT (organization_id, slug) DO NOTHING
            RETURNING *
        ), noted AS (
            INSERT INTO auth.key_events (id, workspace_id, organization_id, type, actor, address, request_id, changes)
            SELECT $10, made.id, made.organization_id, 'workspace.created', $11, $12, $13, jsonb_build_object(
                'name', jsonb_build_object('from', NULL, 'to', made.name),
                'slug', jsonb_build_object('from', NULL, 'to', made.slug))
            FROM made
        )
        SELECT \(Workspace.columns("made")) FROM made
        """
    )

    private static let changeWorkspace = Statement(
        """
        WITH old AS (
            SELECT * FROM control.workspaces WHERE id = $1 AND state <> 'deleting' FOR UPDATE
        ), changed AS (
            UPDATE control.workspaces w
            SET name = CASE WHEN $2 THEN $3 ELSE old.name END, slug = coalesce($4, old.slug),
                data_retention = coalesce($5, old.data_retention), metadata = coalesce($10, old.metadata), updated_at = now()
            FROM old WHERE w.id = old.id
            RETURNING w.*
        ), noted AS (
            INSERT INTO auth.key_events (id, workspace_id, organization_id, type, actor, address, request_id, changes)
            SELECT $6, changed.id, changed.organization_id, 'workspace.updated', $7, $8, $9,
                (SELECT coalesce(jsonb_object_agg(member, jsonb_build_object('from', was, 'to', is_now)), '{}') FROM (VALUES
                    ('name', to_jsonb(old.name), to_jsonb(changed.name)),
                    ('slug', to_jsonb(old.slug), to_jsonb(changed.slug)),
                    ('data_retention', old.data_retention, changed.data_retention)) difference (member, was, is_now)
                    WHERE was IS DISTINCT FROM is_now)
                || CASE WHEN old.metadata = changed.metadata THEN '{}' ELSE '{"metadata": "changed"}'::jsonb END
            FROM old JOIN changed ON changed.id = old.id
        )
        SELECT \(Workspace.columns("changed")) FROM changed
        """
    )

    private static let byID = Statement("\(select) WHERE w.id = $1")
    private static let bySlug = Statement("\(select) WHERE w.organization_id = $1 AND w.slug = $2")
    private static let ofDefault = Statement("\(select) WHERE w.organization_id = $1 AND w.is_default")
    /// Ids of version 7 sort by the time they were made.
    private static let home = Statement(
        """
        SELECT w.id FROM control.workspaces w
        WHERE w.organization_id = $1 AND w.state NOT IN ('archived', 'deleting')
            AND CASE WHEN $2::uuid[] IS NULL THEN w.is_default ELSE w.id = ANY ($2) END
        ORDER BY w.is_default DESC, w.id LIMIT 1
        """
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

    /// Makes the row of a workspace in state `creating`; `Provisioner.settle` then makes its database.
    ///
    /// - Throws: `invalid` naming the field, `unknownOrganization`, `unknownCluster`, `slugTaken`, `defaultExists`.
    public func createWorkspace(_ new: NewWorkspace, by attribution: Attribution) async throws -> Workspace {
        if let name = new.name { try Self.check(name: name) }
        guard let cluster = try await self.cluster(name: new.cluster ?? Cluster.primaryName) else {
            throw TenancyError.unknownCluster
        }
        let id = identifiers.id()
        return try await withSlug(new.slug, name: new.name, fallback: new.isDefault ? "default" : "workspace") {
            slug in
            // A new one for each try: the ref of a try whose slug was taken is spent.
            let ref = identifiers.workspaceRef()
            do throws(PostgresError) {
                return
                    try await connection
                    .query(
                        Self.insertWorkspace,
                        [
                            id, new.organizationID, ref.text, slug.text, new.name, cluster.id,
                            installation.workspaceDatabase(ref), new.isDefault,
                            new.dataRetention.map(PostgresJSON.init(_:)),
                        ] + event(attribution) + [new.metadata.map(PostgresJSON.init(_:))]
                    )
                    .first.map { row throws(PostgresError) in try Workspace(row: row) }
            } catch {
                throw Self.translate(error)
            }
        }
    }

    /// A workspace by its id, whatever its state.
    public func workspace(_ id: UUID) async throws -> Workspace? {
        try await connection.query(Self.byID, [id]).first.map(Workspace.init(row:))
    }

    /// A workspace by its slug within an organization, whatever its state.
    public func workspace(slug: String, organization: UUID) async throws -> Workspace? {
        guard let slug = try? Slug(validating: slug) else { return nil }
        return try await connection.query(Self.bySlug, [organization, slug.text]).first.map(Workspace.init(row:))
    }

    /// The workspace that an organization means when it names none.
    public func defaultWorkspace(of organization: UUID) async throws -> Workspace? {
        try await connection.query(Self.ofDefault, [organization]).first.map(Workspace.init(row:))
    }

    /// The workspace that somebody means who names none: the default one, else the oldest that is theirs and was not put away.
    ///
    /// - Parameters:
    ///   - organization: the organization.
    ///   - own: the workspaces that they are confined to; `nil` for who reaches all.
    /// - Returns: the workspace's id; `nil` where there is none.
    /// - Throws: the database's errors.
    public func homeWorkspace(of organization: UUID, among own: Set<UUID>?) async throws -> UUID? {
        try await connection.query(Self.home, [organization, own.map(Array.init)]).first.map { try $0.decode(0) }
    }

    /// A page of workspaces.
    public func workspaces(_ page: PageRequest, _ filter: WorkspaceFilter = WorkspaceFilter()) async throws -> Page<
        Workspace
    > {
        var parameters: [any PostgresEncodable] = [
            filter.states.map(\.rawValue), filter.query, filter.namePrefix, filter.ids,
        ]
        if let organization = filter.organizationID { parameters.append(organization) }
        return try await (filter.organizationID == nil ? Self.list : Self.listOfOrganization)
            .page(
                page,
                parameters,
                on: connection,
                place: { PageCursor(createdAt: $0.createdAt, id: $0.id) },
                decode: Workspace.init(row:)
            )
    }

    /// Changes what a workspace is called and what is noted about it.
    ///
    /// - Throws: `unknownWorkspace`, `invalid` naming the field, `slugTaken`.
    public func updateWorkspace(_ id: UUID, _ change: WorkspaceChange, by attribution: Attribution) async throws
        -> Workspace
    {
        if let name = change.name ?? nil { try Self.check(name: name) }
        let slug = try change.slug.map { try Slug(validating: $0).text }
        do throws(PostgresError) {
            let rows = try await connection.query(
                Self.changeWorkspace,
                [
                    id, change.name != nil, change.name ?? nil, slug, change.dataRetention.map(PostgresJSON.init(_:)),
                ] + event(attribution) + [change.metadata.map(PostgresJSON.init(_:))]
            )
            if let row = rows.first { return try Workspace(row: row) }
        } catch {
            throw Self.translate(error)
        }
        throw TenancyError.unknownWorkspace
    }

    /// What a violated constraint means.
    private static func translate(_ error: PostgresError) -> any Error {
        let retention = TenancyError(.invalid, "data retention is a JSON object", field: "data_retention")
        // The parameters that the server parses are that text and the metadata, which is an object where it comes from.
        if error.sqlState == .invalidTextRepresentation { return retention }
        return switch error.constraint {
        case "workspaces_slug_key": TenancyError(.slugTaken, "the slug is taken", field: "slug")
        case "workspaces_one_default": TenancyError(.defaultExists, "the organization has a default workspace already")
        case "workspaces_organization_id_fkey": TenancyError.unknownOrganization
        case "workspaces_data_retention_object": retention
        case "workspaces_metadata_object": TenancyError(.invalid, "metadata is a JSON object", field: "metadata")
        default: error
        }
    }
}

extension SQLState {
    /// 22P02: a text that is not of its type's form.
    fileprivate static let invalidTextRepresentation = SQLState(rawValue: "22P02")
}
