public import FoundationEssentials
import Keys
public import People
import Postgres
import Tenancy

/// How somebody gets a role.
extension MemberService {
    /// Makes somebody a member.
    ///
    /// A user of the organization gets one more role; somebody unknown becomes a user, with the name and the password that are given.
    ///
    /// - Parameters:
    ///   - new: who, as what.
    ///   - name: the organization, by id or slug.
    ///   - caller: who asks.
    ///   - answer: writes the answer, which is kept for a twin of the request.
    /// - Returns: the answer, a twin's where it came first.
    /// - Throws: `Refusal.conflict` for who is a member there already, and for a user of another organization, whom an operator can add;
    ///   `invalid`, `forbidden`, `unauthenticated`, `idempotencyKeyReused`, `overloaded`, `CancellationError`.
    public func add(
        _ new: NewMember,
        organization name: String,
        by caller: Caller,
        answer: @Sendable (Member) -> String
    ) async throws -> StoredAnswer {
        let organization = try await platform.access.organization(name, for: caller.principal)
        try caller.principal.require(.membersWrite)
        let email = try UserInput.email(new.email)
        try UserInput.check(name: new.name)
        if let password = new.password { try UserInput.check(password: password) }
        if let workspace = new.workspaceID { try await require(workspace, of: organization, caller.principal) }
        // Before the transaction, which should not hold locks for so long.
        var hash: PasswordHash?
        if let password = new.password {
            hash = try await platform.passwords.hash(password, from: caller.network)
        }
        return try await platform.controlTransaction { [hash] connection in
            let store = platform.peopleStore(connection)
            let authority = try await self.authority(caller, organization.id, connection)
            return try await platform.once(caller, connection, permits: nil) { id in
                // Who may not look at it any more must not learn of it by asking again.
                try await store.member(id, organization: organization.id).map(authority.sees) ?? false
            } make: {
                try authority.requireGrant(new.role, workspace: new.workspaceID)
                let member = try await store.insertMember(
                    user: try await user(
                        email,
                        name: new.name,
                        hash: hash,
                        organization: organization.id,
                        caller,
                        store
                    ),
                    organization: organization.id,
                    workspace: new.workspaceID,
                    role: new.role,
                    by: caller.attribution
                )
                return (member.id, answer(member))
            }
        }
    }

    /// Refuses a workspace that is not the organization's, or that the caller does not reach; the two look alike.
    private func require(_ workspace: UUID, of organization: Organization, _ principal: Principal) async throws {
        do {
            let found = try await platform.access.workspace(UUIDv7.text(of: workspace), for: principal)
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
        _ store: PeopleStore
    ) async throws -> UUID {
        if let known = try await store.lockUser(email) {
            let memberships = try await store.memberships(of: known.id)
            if memberships.contains(where: { $0.organizationID == organization }) { return known.id }
            guard memberships.isEmpty || caller.principal.reach == .platform else {
                throw Refusal.conflict(
                    "The address belongs to a user of another organization, whom only an operator can add."
                )
            }
            if !memberships.isEmpty {
                // Their last role here may have gone with its workspace, and with the role come back the sessions that it had.
                try await store.endSessions(of: known.id, in: organization, .removed)
                return known.id
            }
            // The last membership went with its workspace.
            try await store.deleteUserIfNowhere(known.id)
        }
        guard let made = try await store.insertUser(email: email, name: name, passwordHash: hash?.text) else {
            throw Refusal.conflict("The address was taken at the same moment; try again.")
        }
        return made.id
    }

    /// Lets a user of the organization manage one of its workspaces, instead of the role that they have there or as one role more.
    ///
    /// - Parameters:
    ///   - userID: who; a user whom the caller sees among the members.
    ///   - workspace: the workspace.
    ///   - name: the organization, by id or slug.
    ///   - caller: who asks.
    ///   - answer: writes the answer, which is kept for a twin of the request.
    /// - Returns: the answer, a twin's where it came first.
    /// - Throws: `Refusal.notFound` for a user whom the caller does not see; `Refusal.memberExists` for who manages it already;
    ///   `forbidden`, `unauthenticated`, `idempotencyKeyReused`; the database's errors, also where the task is cancelled.
    public func makeAdmin(
        _ userID: UUID,
        ofWorkspace workspace: UUID,
        organization name: String,
        by caller: Caller,
        answer: @Sendable (Member) -> String
    ) async throws -> StoredAnswer {
        let organization = try await platform.access.organization(name, for: caller.principal).id
        try caller.principal.require(.membersWrite, in: workspace)
        return try await platform.controlTransaction { connection in
            let store = platform.peopleStore(connection)
            let authority = try await self.authority(caller, organization, connection)
            try authority.requireGrant(.admin, workspace: workspace)
            return try await platform.once(caller, connection, permits: nil) { id in
                try await store.member(id, organization: organization) != nil
            } make: {
                guard try await store.lockUser(userID) != nil else { throw Refusal.notFound }
                let visible = try await store.memberships(of: userID)
                    .filter { $0.organizationID == organization && authority.sees($0) }
                guard !visible.isEmpty else { throw Refusal.notFound }
                let here = visible.first { $0.workspaceID == workspace }
                let admin = try await self.admin(userID, here, organization, workspace, authority, caller, store)
                return (admin.id, answer(admin))
            }
        }
    }

    private func admin(
        _ user: UUID,
        _ here: Member?,
        _ organization: UUID,
        _ workspace: UUID,
        _ authority: MemberAuthority,
        _ caller: Caller,
        _ store: PeopleStore
    ) async throws -> Member {
        guard let here else {
            return try await store.insertMember(
                user: user,
                organization: organization,
                workspace: workspace,
                role: .admin,
                by: caller.attribution
            )
        }
        guard here.role != .admin, here.role != .owner else {
            throw Refusal.memberExists("The user is an admin of this tenant already.")
        }
        try authority.requireGrant(here.role, workspace: workspace)
        let changed = try await store.changeMember(
            here.id,
            organization: organization,
            role: .admin,
            by: caller.attribution
        )
        guard let changed else { throw Refusal.notFound }
        return changed
    }
}
