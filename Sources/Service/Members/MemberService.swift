public import FoundationEssentials
import KeyStore
import Keys
public import People
public import Tenancy

/// The use cases of members and their roles.
///
/// A user belongs to the organizations in which the user has a role, and is deleted with the last role. An organization
/// cannot add a user of another organization by itself, because the creator of that user can know the password.
public struct MemberService: Sendable {
    let context: ServiceDependencies
    let access: AccessControl
    let keys: KeyService
    let changes: ControlChanges
    let sessions: SessionService
    let passwords: PasswordHasher
    let guesses: GuessLimiter

    // MARK: Reading

    /// Returns a page of members, newest first.
    ///
    /// A caller who manages single workspaces sees the members of those.
    ///
    /// - Throws: `Refusal.notFound`, `forbidden`; the database's errors, also if the task is cancelled.
    public func list(
        _ page: PageRequest,
        filter: MemberFilter = MemberFilter(),
        organization name: String,
        by caller: Caller
    ) async throws -> Page<Member> {
        let organization = try await access.organization(name, for: caller.principal)
        try caller.principal.require(.membersWrite)
        var filter = filter
        filter.workspaceIDs = caller.principal.workspaces(with: .membersWrite).map(Array.init)
        return try await context.readPeople { [filter] in try await $0.members(page, of: organization.id, filter) }
    }

    /// Returns a member by the id of the membership.
    ///
    /// - Throws: The errors of ``list(_:filter:organization:by:)``; `Refusal.notFound` also for a membership that the
    ///   list does not show.
    public func get(_ id: UUID, organization name: String, by caller: Caller) async throws -> Member {
        let organization = try await access.organization(name, for: caller.principal)
        try caller.principal.require(.membersWrite)
        let member = try await context.readPeople { try await $0.member(id, organization: organization.id) }
        guard let member, caller.principal.sees(member) else { throw Refusal.notFound }
        return member
    }

    // MARK: Shared by the changes

    /// Locks the organization's members, and returns the decisions that the caller can make now.
    ///
    /// - Throws: `Refusal.unauthenticated` if the caller's session or key has ended since the request came.
    func authority(
        _ caller: Caller,
        _ organization: UUID,
        in transaction: AuditedTransaction
    ) async throws -> MemberAuthority {
        let people = context.people(in: transaction)
        try await access.hold(caller.principal, in: transaction)
        try await people.lockMembers(of: organization)
        let principal = try await access.recheck(caller.principal, in: transaction)
        return MemberAuthority(principal, hasOwner: try await people.store.ownerCount(of: organization) > 0)
    }

    /// Locks the organization's members, and returns a membership that the caller can change.
    ///
    /// The changes that the member itself has begun end first, and no other of them begins before the transaction ends.
    func lockMember(
        _ id: UUID,
        _ organization: UUID,
        _ caller: Caller,
        in transaction: AuditedTransaction
    ) async throws -> (Member, MemberAuthority) {
        let store = PeopleStore(transaction.connection)
        if let user = try await store.member(id, organization: organization)?.user.id {
            try await lockChanges(by: user, for: caller, in: transaction)
        }
        let authority = try await self.authority(caller, organization, in: transaction)
        guard let member = try await store.member(id, organization: organization) else { throw Refusal.notFound }
        try authority.requireSight(of: member)
        try authority.requireGrant(member.role, workspace: member.workspaceID, isGiven: false)
        return (member, authority)
    }

    /// Waits for the changes that a user has begun, and lets no other begin before the transaction ends.
    ///
    /// A caller's key is held first, as a change of keys locks its keys before it holds its member. Members are locked in the order of
    /// their ids. So two callers who end each other never wait for each other.
    func lockChanges(by user: UUID, for caller: Caller, in transaction: AuditedTransaction) async throws {
        let own = caller.principal.member?.userID
        if own.map({ UUIDv7.text(of: $0) < UUIDv7.text(of: user) }) ?? true {
            try await access.hold(caller.principal, in: transaction)
        }
        try await KeyStore(transaction.connection).lockChanges(by: user)
    }

    /// Throws if a member is the organization's only owner.
    func requireAnotherOwner(_ member: Member, _ store: PeopleStore) async throws {
        guard member.role == .owner, member.workspaceID == nil else { return }
        guard try await store.ownerCount(of: member.organizationID) > 1 else {
            throw Refusal.conflict("An organization must keep at least one owner; make another member an owner first.")
        }
    }
}
