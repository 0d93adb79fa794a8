public import FoundationEssentials
import JSON
import Keys
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
    public func list(
        _ page: PageRequest,
        filter: MemberFilter = MemberFilter(),
        organization name: String,
        by caller: Caller
    ) async throws -> Page<Member> {
        let organization = try await self.platform.access.organization(name, for: caller.principal)
        try caller.principal.require(.membersWrite)
        var filter = filter
        if case .workspaces(let own, _) = caller.principal.reach {
            filter.workspaceIDs = own.filter { workspace in
                (try? caller.principal.require(.membersWrite, in: workspace)) != nil
            }
        }
        return try await self.platform.databases.control.pool.withConnection { [filter] connection in
            try await self.platform.controlStore(connection).members(page, of: organization.id, filter)
        }
    }

    /// A member, by the id of the membership.
    public func get(_ id: UUID, organization name: String, by caller: Caller) async throws -> Member {
        let organization = try await self.platform.access.organization(name, for: caller.principal)
        try caller.principal.require(.membersWrite)
        let member = try await self.platform.databases.control.pool.withConnection { connection in
            try await self.platform.controlStore(connection).member(id, organization: organization.id)
        }
        guard let member else { throw Refusal.notFound }
        try self.requireSight(member, caller.principal)
        return member
    }

    private func requireSight(_ member: Member, _ principal: Principal) throws(Refusal) {
        guard case .workspaces = principal.reach else { return }
        guard let workspace = member.workspaceID else { throw .notFound }
        try principal.requireReach(into: member.organizationID, workspace: workspace)
        try principal.require(.membersWrite, in: workspace)
    }

    // MARK: Changing

    /// Makes somebody a member.
    ///
    /// A user of the organization gets one more role; somebody unknown becomes a user, with the name and the password that are given.
    ///
    /// - Throws: `Refusal.conflict` for who is a member there already, and for a user of another organization, whom an operator can add.
    public func add(_ new: NewMember, organization name: String, by caller: Caller) async throws -> Member {
        let organization = try await self.platform.access.organization(name, for: caller.principal)
        try caller.principal.require(.membersWrite)
        let email = try UserInput.email(new.email)
        try UserInput.check(name: new.name)
        if let password = new.password { try UserInput.check(password: password) }
        if let workspace = new.workspaceID { try await self.require(workspace, of: organization, caller.principal) }
        // Before the transaction, which should not hold locks for so long.
        var hash: PasswordHash?
        if let password = new.password { hash = try await self.platform.passwords.hash(password) }
        return try await self.platform.controlTransaction { [hash] connection in
            let store = self.platform.controlStore(connection)
            let authority = try await self.authority(caller, organization.id, store)
            try authority.requireGrant(new.role, workspace: new.workspaceID)
            let user = try await self.user(
                email,
                name: new.name,
                hash: hash,
                organization: organization.id,
                caller,
                store
            )
            return try await store.insertMember(
                user: user,
                organization: organization.id,
                workspace: new.workspaceID,
                role: new.role,
                by: caller.attribution
            )
        }
    }

    /// Refuses a workspace that is not the organization's, or that the caller does not reach; the two look alike.
    private func require(_ workspace: UUID, of organization: Organization, _ principal: Principal) async throws {
        do {
            let found = try await self.platform.access.workspace(UUIDv7.text(of: workspace), for: principal)
            guard found.organizationID == organization.id else { throw Refusal.notFound }
        } catch Refusal.notFound {
            let detail = "Must be a workspace of the organization."
            throw Refusal.invalid([InvalidField(pointer: "/workspace_id", detail: detail)])
        }
    }

    /// The user of an address: one of the organization's, or a new one.
    private func user(
        _ email: EmailAddress,
        name: String?,
        hash: PasswordHash?,
        organization: UUID,
        _ caller: Caller,
        _ store: ControlStore
    ) async throws -> UUID {
        if let known = try await store.credentials(of: email)?.user {
            let memberships = try await store.memberships(of: known.id)
            let isOwn = memberships.contains { $0.organizationID == organization }
            if isOwn || (caller.principal.reach == .platform && !memberships.isEmpty) { return known.id }
            guard memberships.isEmpty else {
                throw Refusal.conflict(
                    "The address belongs to a user of another organization, whom only an operator can add."
                )
            }
            // The last membership went with its workspace.
            try await store.deleteUserIfNowhere(known.id)
        }
        guard let made = try await store.insertUser(email: email, name: name, passwordHash: hash?.text) else {
            throw Refusal.conflict("The address was taken at the same moment; try again.")
        }
        return made.id
    }

    /// Changes a member's role, name or password.
    ///
    /// - Throws: `Refusal.conflict` for the last owner's role; `forbiddenKind` for the name or password of who has a role that the caller
    ///   could not give.
    public func change(
        _ id: UUID,
        _ change: MemberChange,
        organization name: String,
        by caller: Caller
    ) async throws -> Member {
        let organization = try await self.platform.access.organization(name, for: caller.principal)
        try caller.principal.require(.membersWrite)
        if let name = change.name { try UserInput.check(name: name) }
        if let password = change.password { try UserInput.check(password: password) }
        var hash: PasswordHash?
        if let password = change.password { hash = try await self.platform.passwords.hash(password) }
        return try await self.platform.controlTransaction { [hash] connection in
            let store = self.platform.controlStore(connection)
            let (member, authority) = try await self.locked(id, organization.id, caller, store)
            if let role = change.role, role != member.role {
                try authority.requireGrant(role, workspace: member.workspaceID)
                try await self.requireAnotherOwner(member, store)
                _ = try await store.changeMember(id, role: role, by: caller.attribution)
            }
            if change.name != nil || hash != nil {
                try authority.requireIdentity(try await store.memberships(of: member.user.id))
            }
            if let name = change.name { try await store.setName(name, of: member.user.id) }
            if let hash {
                try await store.setPassword(hash.text, of: member.user.id)
                try await store.endSessions(of: member.user.id, except: nil, .passwordChanged)
                try await self.noteNewPassword(of: member, caller, store)
            }
            guard let changed = try await store.member(id, organization: organization.id) else {
                throw Refusal.notFound
            }
            return changed
        }
    }

    /// Takes a membership away; a user without any other is removed.
    ///
    /// - Throws: `Refusal.conflict` for the last owner.
    public func remove(_ id: UUID, organization name: String, by caller: Caller) async throws {
        let organization = try await self.platform.access.organization(name, for: caller.principal)
        try caller.principal.require(.membersWrite)
        try await self.platform.controlTransaction { connection in
            let store = self.platform.controlStore(connection)
            let (member, _) = try await self.locked(id, organization.id, caller, store)
            try await self.requireAnotherOwner(member, store)
            try await store.deleteMember(id, by: caller.attribution)
            try await store.deleteUserIfNowhere(member.user.id)
        }
    }

    /// Takes a user's membership of a workspace away, or of the whole organization.
    public func removeUser(
        _ userID: UUID,
        workspace: UUID?,
        organization name: String,
        by caller: Caller
    ) async throws {
        let filter = MemberFilter(workspaceID: workspace, userID: userID)
        let page = try await self.list(PageRequest(limit: 100), filter: filter, organization: name, by: caller)
        guard let member = page.items.first(where: { $0.workspaceID == workspace }) else { throw Refusal.notFound }
        try await self.remove(member.id, organization: name, by: caller)
    }

    /// Changes the caller's own password and ends the caller's other sessions.
    ///
    /// - Throws: `Refusal.invalid` when `current` is wrong, `tooManyAttempts` after too many of those.
    public func changePassword(current: String, new: String, by caller: Caller) async throws {
        guard let me = caller.principal.member, let organization = caller.principal.organizationID else {
            throw Refusal.forbiddenKind("Only members have a password.")
        }
        try UserInput.check(password: new, "/new_password")
        let address = caller.address.flatMap { IPAddress($0) }
        try self.platform.guesses.take(account: me.email, from: address)
        let stored = try await self.platform.databases.control.pool.withConnection { connection in
            try await self.platform.controlStore(connection).credentials(of: me.userID)
        }
        guard current.utf8.count <= SessionLimits.passwordBytes,
            try await self.platform.passwords.check(current, stored?.passwordHash).matches
        else {
            throw Refusal.invalid([InvalidField(pointer: "/current_password", detail: "Must be the password.")])
        }
        self.platform.guesses.forgive(account: me.email, from: address)
        let hash = try await self.platform.passwords.hash(new)
        try await self.platform.controlTransaction { connection in
            let store = self.platform.controlStore(connection)
            try await store.setPassword(hash.text, of: me.userID)
            try await store.endSessions(of: me.userID, except: me.sessionID, .passwordChanged)
            try await store.note(
                "member.password_changed",
                organization: organization,
                changes: JSONValue.object([("user", .string(UUIDv7.text(of: me.userID)))]).text,
                by: caller.attribution
            )
        }
    }

    // MARK: What the changes share

    /// What a caller may decide, once nobody else can change the members.
    private func authority(_ caller: Caller, _ organization: UUID, _ store: ControlStore) async throws
        -> MemberAuthority
    {
        try await store.lockMembers(of: organization)
        return MemberAuthority(caller.principal, hasOwner: try await store.ownerCount(of: organization) > 0)
    }

    /// A membership that the caller may change.
    private func locked(
        _ id: UUID,
        _ organization: UUID,
        _ caller: Caller,
        _ store: ControlStore
    ) async throws -> (Member, MemberAuthority) {
        let authority = try await self.authority(caller, organization, store)
        guard let member = try await store.member(id, organization: organization) else { throw Refusal.notFound }
        try authority.requireSight(of: member.workspaceID)
        try authority.requireGrant(member.role, workspace: member.workspaceID)
        return (member, authority)
    }

    private func requireAnotherOwner(_ member: Member, _ store: ControlStore) async throws {
        guard member.role == .owner, member.workspaceID == nil else { return }
        guard try await store.ownerCount(of: member.organizationID) > 1 else {
            throw Refusal.conflict("The organization's last owner stays one.")
        }
    }

    private func noteNewPassword(of member: Member, _ caller: Caller, _ store: ControlStore) async throws {
        try await store.note(
            "member.password_changed",
            organization: member.organizationID,
            changes: JSONValue.object([("user", .string(UUIDv7.text(of: member.user.id)))]).text,
            by: caller.attribution
        )
    }
}
