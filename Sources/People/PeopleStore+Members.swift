public import FoundationEssentials
import Postgres
public import Tenancy

extension PeopleStore {
    private static let select = """
        SELECT \(Member.columns("m", user: "u")) FROM control.members m JOIN control.users u ON u.id = m.user_id
        """

    private static let ownerCount = Statement(
        "SELECT count(*) FROM control.members WHERE organization_id = $1 AND workspace_id IS NULL AND role = 'owner'"
    )
    private static let anyMember = Statement("SELECT EXISTS (SELECT FROM control.members WHERE organization_id = $1)")
    private static let byID = Statement("\(select) WHERE m.organization_id = $1 AND m.id = $2")
    private static let ofUser = Statement("\(select) WHERE m.user_id = $1 ORDER BY m.created_at, m.id")

    private static let list = ListStatement(
        select,
        alias: "m",
        where: """
            m.organization_id = $4 AND ($5::uuid IS NULL OR m.workspace_id = $5) AND ($6::text IS NULL OR m.role = $6)
            AND ($7::text IS NULL OR strpos(lower(u.email || ' ' || coalesce(u.name, '')), lower($7)) > 0)
            AND ($8::uuid[] IS NULL OR m.workspace_id = ANY ($8))
            """
    )

    /// Returns the number of an organization's owners.
    ///
    /// Owners of single workspaces do not count.
    public func ownerCount(of organization: UUID) async throws -> Int {
        Int(try await connection.query(Self.ownerCount, [organization]).first?.decode(0, as: Int64.self) ?? 0)
    }

    /// Returns true if an organization has any member.
    public func hasMembers(_ organization: UUID) async throws -> Bool {
        try await connection.query(Self.anyMember, [organization]).first?.decode(0) ?? false
    }

    /// Returns a membership of an organization.
    public func member(_ id: UUID, organization: UUID) async throws -> Member? {
        try await connection.query(Self.byID, [organization, id]).first.map { try Member(row: $0) }
    }

    /// Returns all memberships of a user, oldest first.
    public func memberships(of user: UUID) async throws -> [Member] {
        try await connection.query(Self.ofUser, [user]).map { try Member(row: $0) }
    }

    /// Returns a page of an organization's members.
    public func members(
        _ page: PageRequest,
        of organization: UUID,
        _ filter: MemberFilter
    ) async throws -> Page<Member> {
        try await Self.list.page(
            page,
            [organization, filter.workspaceID, filter.role?.rawValue, filter.query, filter.workspaceIDs],
            on: connection,
            cursor: { PageCursor(createdAt: $0.createdAt, id: $0.id) },
            decode: { try Member(row: $0) }
        )
    }
}
