public import FoundationEssentials
import Keys
public import Postgres
public import Tenancy

extension PeopleStore {
    private static let select = "SELECT \(SessionIssuer.columns) FROM control.session_issuers"
    private static let insertIssuer = Statement(
        """
        WITH made AS (
            INSERT INTO control.session_issuers (id, issuer, organization_id, jwks_url, jwks_file, jwks, algorithms,
                authorized_parties, read_roles, manage_roles)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            ON CONFLICT (issuer) DO NOTHING
            RETURNING *
        ), noted AS (
            INSERT INTO auth.key_events (id, organization_id, type, actor, address, request_id, changes)
            SELECT $11, made.organization_id, 'session_issuer.added', $12, $13, $14, jsonb_build_object(
                'id', made.id, 'issuer', made.issuer)
            FROM made
        )
        SELECT \(SessionIssuer.columns) FROM made
        """
    )
    private static let deleteIssuer = Statement(
        """
        WITH gone AS (
            DELETE FROM control.session_issuers WHERE id = $1 AND organization_id = $2 RETURNING *
        )
        INSERT INTO auth.key_events (id, organization_id, type, actor, address, request_id, changes)
        SELECT $3, gone.organization_id, 'session_issuer.removed', $4, $5, $6, jsonb_build_object(
            'id', gone.id, 'issuer', gone.issuer)
        FROM gone
        """
    )
    private static let byIssuer = Statement("\(select) WHERE issuer = $1")
    private static let byID = Statement("\(select) WHERE id = $1 AND organization_id = $2")
    private static let list = ListStatement(select, alias: "session_issuers", where: "organization_id = $4")

    /// Adds an issuer, or returns `nil` when an organization has one of this name.
    public func insertSessionIssuer(
        _ new: NewSessionIssuer,
        organization: UUID,
        by attribution: Attribution
    ) async throws -> SessionIssuer? {
        var (url, file, inline): (String?, String?, PostgresJSON?)
        switch new.keys {
        case .url(let text): url = text
        case .file(let path): file = path
        case .inline(let json): inline = PostgresJSON(json)
        }
        return
            try await connection
            .query(
                Self.insertIssuer,
                [
                    identifiers.id(), new.issuer, organization, url, file, inline, new.algorithms,
                    new.authorizedParties, new.readRoles, new.manageRoles,
                ] + event(attribution)
            )
            .first.map(SessionIssuer.init(row:))
    }

    /// Removes an issuer.
    ///
    /// - Returns: whether there was one.
    public func deleteSessionIssuer(_ id: UUID, organization: UUID, by attribution: Attribution) async throws -> Bool {
        try await connection.query(Self.deleteIssuer, [id, organization] + event(attribution)).affectedRows
            == 1
    }

    /// An issuer of an organization.
    public func sessionIssuer(_ id: UUID, organization: UUID) async throws -> SessionIssuer? {
        try await connection.query(Self.byID, [id, organization]).first.map(SessionIssuer.init(row:))
    }

    /// A page of an organization's issuers.
    public func sessionIssuers(_ page: PageRequest, of organization: UUID) async throws -> Page<SessionIssuer> {
        try await Self.list.page(
            page,
            [organization],
            on: connection,
            place: { PageCursor(createdAt: $0.createdAt, id: $0.id) },
            decode: SessionIssuer.init(row:)
        )
    }

    /// The issuer of a name, by one indexed read over the connection that all look-ups share.
    public static func sessionIssuer(
        _ issuer: String,
        in lookups: PostgresPipeline
    ) async throws(PostgresError) -> SessionIssuer? {
        guard let row = try await lookups.query(Self.byIssuer, [issuer]).first else { return nil }
        return try SessionIssuer(row: row)
    }
}
