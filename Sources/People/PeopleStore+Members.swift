public import FoundationEssentials
import Keys
import Postgres
public import Tenancy

extension PeopleStore {
    private static let select = """
        SELECT \(Member.columns("m", user: "u")) FROM control.members m JOIN control.users u ON u.id = m.user_id
        """

    private static let insertMember = Statement(
        """
        WITH made AS (
            INSERT INTO control.members (id, user_id, organization_id, workspace_id, role)
            SELECT $1, $2, $3, $4, $5
            WHERE $4::uuid IS NULL
               OR EXISTS (SELECT FROM control.workspaces WHERE id = $4 AND organization_id = $3 AND state <> 'deleting')
            RETURNING *
        ), noted AS (
            INSERT INTO auth.key_events (id, workspace_id, organization_id, type, actor, address, request_id, changes)
            SELECT $6, made.workspace_id, made.organization_id, 'member.added', $7, $8, $9, jsonb_build_object(
                'member', made.id, 'user', made.user_id, 'email', u.email, 'role', made.role)
            FROM made JOIN control.users u ON u.id = made.user_id
        )
        SELECT \(Member.columns("made", user: "u")) FROM made JOIN control.users u ON u.id = made.user_id
        """
    )

    private static let changeRole = Statement(
        """
        WITH old AS (
            SELECT * FROM control.members WHERE id = $1 AND organization_id = $6
        ), changed AS (
            UPDATE control.members m SET role = $7, updated_at = now() FROM old WHERE m.id = old.id RETURNING m.*
        ), noted AS (
            INSERT INTO auth.key_events (id, workspace_id, organization_id, type, actor, address, request_id, changes)
            SELECT $2, old.workspace_id, old.organization_id, 'member.updated', $3, $4, $5, jsonb_build_object(
                'member', old.id, 'user', old.user_id, 'role', jsonb_build_object('from', old.role, 'to', changed.role))
            FROM old JOIN changed ON changed.id = old.id
        )
        SELECT \(Member.columns("changed", user: "u")) FROM changed JOIN control.users u ON u.id = changed.user_id
        """
    )

    private static let deleteMember = Statement(
        """
        WITH gone AS (
            DELETE FROM control.members WHERE id = $1 AND organization_id = $6 RETURNING *
        )
        INSERT INTO auth.key_events (id, workspace_id, organization_id, type, actor, address, request_id, changes)
        SELECT $2, gone.workspace_id, gone.organization_id, 'member.removed', $3, $4, $5, jsonb_build_object(
            'member', gone.id, 'user', gone.user_id, 'email', u.email, 'role', gone.role)
        FROM gone JOIN control.users u ON u.id = gone.user_id
        """
    )

    private static let note = Statement(
        """
        INSERT INTO auth.key_events (id, workspace_id, organization_id, type, actor, address, request_id, changes)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """
    )

    private static let lockOrganization = Statement("SELECT FROM control.organizations WHERE id = $1 FOR NO KEY UPDATE")
    private static let countOwners = Statement(
        "SELECT count(*) FROM control.members WHERE organization_id = $1 AND workspace_id IS NULL AND role = 'owner'"
    )
    private static let byID = Statement("\(select) WHERE m.organization_id = $1 AND m.id = $2")
    private static let ofUser = Statement("\(select) WHERE m.user_id = $1 ORDER BY m.created_at, m.id")

    private static let list = ListStatement(
        select,
        alias: "m",
        where: """
            m.organization_id = $4 AND ($5::uuid IS NULL OR m.workspace_id = $5) AND ($6::text IS NULL OR m.role = $6)
            AND ($7::text IS NULL OR strpos(lower(u.email || ' ' || coalesce(u.name, '')), lower($7)) > 0)
            AND ($8::uuid IS NULL OR m.user_id = $8) AND ($9::uuid[] IS NULL OR m.workspace_id = ANY ($9))
            """
    )

    /// Holds the set of an organization's members still until the transaction ends, so that two owners cannot remove each other.
    public func lockMembers(of organization: UUID) async throws {
        try await connection.query(Self.lockOrganization, [organization])
    }

    /// How many owners an organization has; owners of single workspaces do not count.
    public func ownerCount(of organization: UUID) async throws -> Int {
        Int(try await connection.query(Self.countOwners, [organization]).first?.decode(0, as: Int64.self) ?? 0)
    }

    /// Makes a user a member.
    ///
    /// - Throws: `PeopleError`.
    public func insertMember(
        user: UUID,
        organization: UUID,
        workspace: UUID?,
        role: MemberRole,
        by attribution: Attribution
    ) async throws -> Member {
        do throws(PostgresError) {
            let rows = try await connection.query(
                Self.insertMember,
                [identifiers.id(), user, organization, workspace, role.rawValue] + event(attribution)
            )
            if let row = rows.first { return try Member(row: row) }
        } catch {
            guard ["members_of_organization", "members_of_workspace"].contains(error.constraint) else { throw error }
            throw PeopleError.memberExists
        }
        throw PeopleError.unknownWorkspace
    }

    /// A membership of an organization.
    public func member(_ id: UUID, organization: UUID) async throws -> Member? {
        try await connection.query(Self.byID, [organization, id]).first.map { try Member(row: $0) }
    }

    /// All memberships of a user, oldest first.
    public func memberships(of user: UUID) async throws -> [Member] {
        try await connection.query(Self.ofUser, [user]).map { try Member(row: $0) }
    }

    /// A page of an organization's members.
    public func members(_ page: PageRequest, of organization: UUID, _ filter: MemberFilter) async throws -> Page<Member>
    {
        try await Self.list.page(
            page,
            [
                organization, filter.workspaceID, filter.role?.rawValue, filter.query, filter.userID,
                filter.workspaceIDs,
            ],
            on: connection,
            place: { PageCursor(createdAt: $0.createdAt, id: $0.id) },
            decode: { try Member(row: $0) }
        )
    }

    /// Gives a member of an organization another role.
    ///
    /// - Returns: the member, or `nil` where the organization has no such membership.
    public func changeMember(
        _ id: UUID,
        organization: UUID,
        role: MemberRole,
        by attribution: Attribution
    ) async throws -> Member? {
        let parameters: [any PostgresEncodable] = [id] + event(attribution) + [organization, role.rawValue]
        return try await connection.query(Self.changeRole, parameters).first.map { try Member(row: $0) }
    }

    /// Takes a membership of an organization away; the user stays.
    public func deleteMember(_ id: UUID, organization: UUID, by attribution: Attribution) async throws {
        try await connection.query(Self.deleteMember, [id] + event(attribution) + [organization])
    }

    /// Adds an event about an organization's members or sessions; `changes` is the text of a JSON object.
    public func note(
        _ type: String,
        organization: UUID,
        workspace: UUID? = nil,
        changes: String,
        by attribution: Attribution
    ) async throws {
        try await connection.query(
            Self.note,
            [
                identifiers.id(), workspace, organization, type, attribution.actor, attribution.address,
                attribution.requestID, PostgresJSON(changes),
            ]
        )
    }
}
