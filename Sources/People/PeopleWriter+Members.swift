public import FoundationEssentials
public import KeyStore
import Postgres
import Tenancy

extension PeopleWriter {
    private static let insertMember = Statement(
        """
        WITH created AS (
            INSERT INTO control.members (id, user_id, organization_id, workspace_id, role)
            SELECT $1, $2, $3, $4, $5
            WHERE $4::uuid IS NULL
               OR EXISTS (SELECT FROM control.workspaces WHERE id = $4 AND organization_id = $3 AND state <> 'deleting')
            RETURNING *
        )
        SELECT \(Member.columns("created", user: "u")) FROM created JOIN control.users u ON u.id = created.user_id
        """
    )
    private static let updateRole = Statement(
        "UPDATE control.members SET role = $3, updated_at = now() WHERE id = $1 AND organization_id = $2"
    )
    private static let setName = Statement("UPDATE control.users SET name = $2, updated_at = now() WHERE id = $1")
    private static let deleteMember = Statement("DELETE FROM control.members WHERE id = $1 AND organization_id = $2")
    private static let deleteMembers = Statement(
        "DELETE FROM control.members WHERE organization_id = $1 RETURNING user_id"
    )
    private static let lockOrganization = Statement("SELECT FROM control.organizations WHERE id = $1 FOR NO KEY UPDATE")

    /// Locks the set of an organization's members until the transaction ends, so that two owners cannot remove each
    /// other.
    public func lockMembers(of organization: UUID) async throws {
        try await connection.query(Self.lockOrganization, [organization])
    }

    /// Gives a user a role.
    ///
    /// - Throws: ``PeopleError``.
    public func insertMember(
        user: UUID,
        organization: UUID,
        workspace: UUID?,
        role: MemberRole,
        by attribution: Attribution
    ) async throws -> Member {
        guard try await !PendingRetirements(connection).isPending(user, organization: organization) else {
            throw PeopleError.removalUnfinished
        }
        let rows: Rows
        do throws(PostgresError) {
            rows = try await connection.query(
                Self.insertMember,
                [identifiers.id(), user, organization, workspace, role.rawValue]
            )
        } catch {
            guard ["members_of_organization", "members_of_workspace"].contains(error.constraint) else { throw error }
            throw PeopleError.memberExists
        }
        guard let row = rows.first else { throw PeopleError.unknownWorkspace }
        let member = try Member(row: row)
        try await record(.memberAdded, member, member.changes, by: attribution)
        return member
    }

    /// Changes the role of a membership.
    ///
    /// - Returns: The membership, or `nil` if the organization has no such membership.
    public func changeMember(
        _ id: UUID,
        organization: UUID,
        role: MemberRole,
        by attribution: Attribution
    ) async throws -> Member? {
        guard let old = try await store.member(id, organization: organization) else { return nil }
        try await connection.query(Self.updateRole, [id, organization, role.rawValue])
        var changes = EventChanges()
        changes.add("member", old.id)
        changes.add("user", old.user.id)
        changes.add("role", from: old.role.rawValue, to: role.rawValue)
        try await record(.memberUpdated, old, changes, by: attribution)
        return try await store.member(id, organization: organization)
    }

    /// Sets the name of a membership's user; `nil` removes it.
    ///
    /// The caller has locked the user. A name that the user has already changes nothing and leaves no event.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - member: The membership as it is now.
    ///   - attribution: The attribution of the event.
    /// - Throws: The database's errors.
    public func setName(_ name: String?, of member: Member, by attribution: Attribution) async throws {
        guard name != member.user.name else { return }
        try await connection.query(Self.setName, [member.user.id, name])
        var changes = EventChanges()
        changes.add("member", member.id)
        changes.add("user", member.user.id)
        changes.add("name", from: member.user.name, to: name)
        try await record(.memberUpdated, member, changes, by: attribution)
    }

    /// Deletes a membership of an organization.
    ///
    /// The user stays.
    ///
    /// - Parameters:
    ///   - id: The membership.
    ///   - organization: The organization.
    ///   - clientKeys: The outcome for the user's client keys, and their number.
    ///   - attribution: The attribution of the event.
    /// - Throws: The database's errors.
    public func deleteMember(
        _ id: UUID,
        organization: UUID,
        clientKeys: (fate: String, count: Int),
        by attribution: Attribution
    ) async throws {
        guard let old = try await store.member(id, organization: organization) else { return }
        try await connection.query(Self.deleteMember, [id, organization])
        var changes = old.changes
        changes.add("client_keys", clientKeys.fate)
        changes.add("client_key_count", clientKeys.count)
        try await record(.memberRemoved, old, changes, by: attribution)
    }

    /// Deletes all memberships of an organization that ends, and the users that have no other.
    ///
    /// The event of the organization's end stands for theirs. The caller has locked the members.
    public func deleteMembers(of organization: UUID) async throws {
        let users = try await connection.query(Self.deleteMembers, [organization])
            .map { try $0.decode(0, as: UUID.self) }
        for user in Set(users) {
            _ = try await lockUser(user)
            try await deleteUserWithoutRoles(user)
        }
    }

    /// Records that a user has a new password.
    public func recordNewPassword(of user: UUID, organization: UUID, by attribution: Attribution) async throws {
        var changes = EventChanges()
        changes.add("user", user)
        try await record(.passwordChanged, organization: organization, changes, by: attribution)
    }

    private func record(
        _ type: EventType,
        _ member: Member,
        _ changes: EventChanges,
        by attribution: Attribution
    ) async throws {
        try await record(
            type,
            organization: member.organizationID,
            workspace: member.workspaceID,
            changes,
            by: attribution
        )
    }
}

extension Member {
    /// The members of an event that says that the membership was added or removed.
    fileprivate var changes: EventChanges {
        var changes = EventChanges()
        changes.add("member", id)
        changes.add("user", user.id)
        changes.add("email", user.email)
        changes.add("role", role.rawValue)
        return changes
    }
}
