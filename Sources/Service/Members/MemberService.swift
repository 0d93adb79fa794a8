public import FoundationEssentials
import JSON
import Keys
public import People
import Postgres
public import Tenancy

/// Who is a member of an organization, and with which role.
///
/// A user belongs to the organizations that they are a member of, and is gone with the last of them. An organization cannot take in a user
/// of another one by itself: whoever made that user may know the password.
public struct MemberService: Sendable {
    let platform: Platform

    init(_ platform: Platform) { self.platform = platform }

    // MARK: Reading

    /// One page of members, newest first; who manages single workspaces sees the members of those.
    ///
    /// - Throws: `Refusal.notFound`, `forbidden`; the database's errors, also where the task is cancelled.
    public func list(
        _ page: PageRequest,
        filter: MemberFilter = MemberFilter(),
        organization name: String,
        by caller: Caller
    ) async throws -> Page<Member> {
        let organization = try await platform.access.organization(name, for: caller.principal)
        try caller.principal.require(.membersWrite)
        var filter = filter
        filter.workspaceIDs = caller.principal.workspaces(with: .membersWrite).map(Array.init)
        return try await platform.databases.control.pool.withConnection { [filter] connection in
            try await platform.peopleStore(connection).members(page, of: organization.id, filter)
        }
    }

    /// A member, by the id of the membership.
    ///
    /// - Throws: as ``list(_:filter:organization:by:)``; `Refusal.notFound` also for a membership that the list does not show.
    public func get(_ id: UUID, organization name: String, by caller: Caller) async throws -> Member {
        let organization = try await platform.access.organization(name, for: caller.principal)
        try caller.principal.require(.membersWrite)
        let member = try await platform.databases.control.pool.withConnection { connection in
            try await platform.peopleStore(connection).member(id, organization: organization.id)
        }
        guard let member, caller.principal.sees(member) else { throw Refusal.notFound }
        return member
    }

    // MARK: What the changes share

    /// What a caller may decide now, once nobody else can change the members.
    ///
    /// - Throws: `Refusal.unauthenticated` where the caller has lost their session or key since the request came.
    func authority(
        _ caller: Caller,
        _ organization: UUID,
        _ connection: PostgresConnection
    ) async throws -> MemberAuthority {
        let store = platform.peopleStore(connection)
        try await store.lockMembers(of: organization)
        let principal = try await platform.access.current(caller.principal, connection)
        return MemberAuthority(principal, hasOwner: try await store.ownerCount(of: organization) > 0)
    }

    /// A membership that the caller may change.
    func locked(
        _ id: UUID,
        _ organization: UUID,
        _ caller: Caller,
        _ connection: PostgresConnection
    ) async throws -> (Member, MemberAuthority) {
        let authority = try await self.authority(caller, organization, connection)
        let store = platform.peopleStore(connection)
        guard let member = try await store.member(id, organization: organization) else { throw Refusal.notFound }
        try authority.requireSight(of: member)
        try authority.requireGrant(member.role, workspace: member.workspaceID)
        return (member, authority)
    }

    func requireAnotherOwner(_ member: Member, _ store: PeopleStore) async throws {
        guard member.role == .owner, member.workspaceID == nil else { return }
        guard try await store.ownerCount(of: member.organizationID) > 1 else {
            throw Refusal.conflict("The organization's last owner stays one.")
        }
    }

    func noteNewPassword(of user: UUID, organization: UUID, _ caller: Caller, _ store: PeopleStore) async throws {
        try await store.note(
            "member.password_changed",
            organization: organization,
            changes: JSONValue.object([("user", .string(UUIDv7.text(of: user)))]).text,
            by: caller.attribution
        )
    }
}
