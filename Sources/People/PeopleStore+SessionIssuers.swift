public import FoundationEssentials
import KeyStore
public import Postgres
public import Tenancy

extension PeopleStore {
    private static let select = "SELECT \(SessionIssuer.columns) FROM control.session_issuers"
    private static let byIssuer = Statement(
        "SELECT \(SessionIssuer.columns), clock_timestamp() FROM control.session_issuers WHERE issuer = $1"
    )
    private static let byID = Statement("\(select) WHERE id = $1 AND organization_id = $2")
    private static let list = ListStatement(select, alias: "session_issuers", where: "organization_id = $4")

    /// Returns a session issuer of an organization.
    public func sessionIssuer(_ id: UUID, organization: UUID) async throws -> SessionIssuer? {
        try await connection.query(Self.byID, [id, organization]).first.map(SessionIssuer.init(row:))
    }

    /// Returns a page of an organization's session issuers.
    public func sessionIssuers(_ page: PageRequest, of organization: UUID) async throws -> Page<SessionIssuer> {
        try await Self.list.page(
            page,
            [organization],
            on: connection,
            cursor: { PageCursor(createdAt: $0.createdAt, id: $0.id) },
            decode: SessionIssuer.init(row:)
        )
    }

    /// Returns a session issuer by its name, with the database's time, by one indexed read over the pipeline that all look-ups share, and
    /// with the mark of the session that answered.
    public static func sessionIssuer(
        _ issuer: String,
        in lookups: PostgresPipeline
    ) async throws(PostgresError) -> (value: FoundSessionIssuer?, mark: SessionMark) {
        let answer = try await lookups.answer(Self.byIssuer, [issuer])
        guard let row = answer.rows.first else { return (nil, answer.mark) }
        let found = try SessionIssuer(row: row)
        let readAt = try row.timestamp(SessionIssuer.columnCount)
        return (FoundSessionIssuer(issuer: found, readAt: readAt), answer.mark)
    }
}
