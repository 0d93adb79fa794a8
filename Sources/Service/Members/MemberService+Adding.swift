public import FoundationEssentials
import KeyStore
import Keys
public import People
import Tenancy

extension MemberService {
    /// Adds a member.
    ///
    /// A user of the organization gets another role. An unknown address becomes a user with the given name and
    /// password.
    ///
    /// - Parameters:
    ///   - new: The user and the role.
    ///   - name: The organization, by id or slug.
    ///   - caller: The caller.
    ///   - answer: Renders the answer, which is stored for repeated requests.
    /// - Returns: The answer; of the earlier request with the same `Idempotency-Key` if there was one.
    /// - Throws: `Refusal.memberExists`; `conflict` for a user of another organization, which an operator can add;
    ///   `invalid`, `forbidden`, `unauthenticated`, `idempotencyKeyReused`, `overloaded`, `CancellationError`.
    public func add(
        _ new: NewMember,
        organization name: String,
        by caller: Caller,
        answer: @Sendable (Member) -> String
    ) async throws -> StoredAnswer {
        let organization = try await access.organization(name, for: caller.principal)
        try caller.principal.require(.membersWrite)
        if new.password != nil { try context.requirePasswords() }
        try UserInput.check(email: new.email, name: new.name, password: new.password)
        let email = try UserInput.email(new.email)
        if let workspace = new.workspaceID {
            try await access.requireWorkspace(workspace, of: organization.id, for: caller.principal)
        }
        // Before the transaction, which must not hold locks for so long.
        var hash: PasswordHash?
        if let password = new.password {
            hash = try await passwords.hash(password, from: caller.network)
        }
        return try await context.changeControl(.gives) { [hash] transaction in
            let people = context.people(in: transaction)
            let authority = try await self.authority(caller, organization.id, in: transaction)
            return try await changes.createOnce(caller, in: transaction, authorize: nil) { id in
                // A caller who cannot see the member any more must not find it by repeating the request.
                try await people.store.member(id, organization: organization.id).map(authority.sees) ?? false
            } create: {
                try authority.requireGrant(new.role, workspace: new.workspaceID)
                let userID = try await user(
                    email,
                    name: new.name,
                    hash: hash,
                    organization: organization.id,
                    caller,
                    people
                )
                let member = try await people.insertMember(
                    user: userID,
                    organization: organization.id,
                    workspace: new.workspaceID,
                    role: new.role,
                    by: caller.attribution
                )
                return (member.id, answer(member))
            }
        }
    }

    /// Returns the user of an address: a user of the organization, or a new one.
    private func user(
        _ email: EmailAddress,
        name: String?,
        hash: PasswordHash?,
        organization: UUID,
        _ caller: Caller,
        _ people: PeopleWriter
    ) async throws -> UUID {
        if let known = try await people.lockUser(email) {
            let memberships = try await people.store.memberships(of: known.id)
            if memberships.contains(where: { $0.organizationID == organization }) { return known.id }
            guard memberships.isEmpty || caller.principal.reach == .platform else {
                throw Refusal.conflict(
                    "The address belongs to a user of another organization. Ask an operator to add the user."
                )
            }
            if !memberships.isEmpty {
                // The user's last role here can have gone with its workspace. The sessions of that time must not come
                // back with a new role.
                try await people.endSessions(of: known.id, in: organization, .removed)
                return known.id
            }
            // The last role went with its workspace.
            try await people.deleteUserWithoutRoles(known.id)
        }
        let created = try await people.insertUser(email: email, name: name, passwordHash: hash?.text)
        guard let created else { throw Refusal.conflict("The address was taken at the same moment; try again.") }
        return created.id
    }

    /// Makes a user of the organization an admin of one of its workspaces, in place of the user's role there or in
    /// addition.
    ///
    /// - Parameters:
    ///   - userID: A user that the caller sees among the members.
    ///   - workspace: The workspace.
    ///   - name: The organization, by id or slug.
    ///   - caller: The caller.
    ///   - answer: Renders the answer, which is stored for repeated requests.
    /// - Returns: The answer; of the earlier request with the same `Idempotency-Key` if there was one.
    /// - Throws: `Refusal.notFound` for a user that the caller does not see; `Refusal.memberExists` for an admin of the
    ///   workspace; `forbidden`, `unauthenticated`, `idempotencyKeyReused`; the database's errors, also if the task is
    ///   cancelled.
    public func makeAdmin(
        _ userID: UUID,
        ofWorkspace workspace: UUID,
        organization name: String,
        by caller: Caller,
        answer: @Sendable (Member) -> String
    ) async throws -> StoredAnswer {
        let organization = try await access.organization(name, for: caller.principal).id
        try caller.principal.require(.membersWrite, in: workspace)
        return try await context.changeControl(.gives) { transaction in
            let people = context.people(in: transaction)
            let authority = try await self.authority(caller, organization, in: transaction)
            try authority.requireGrant(.admin, workspace: workspace)
            return try await changes.createOnce(caller, in: transaction, authorize: nil) { id in
                try await people.store.member(id, organization: organization) != nil
            } create: {
                guard try await people.lockUser(userID) != nil else { throw Refusal.notFound }
                let visible = try await people.store.memberships(of: userID)
                    .filter { $0.organizationID == organization && authority.sees($0) }
                guard !visible.isEmpty else { throw Refusal.notFound }
                let admin: Member
                if let present = visible.first(where: { $0.workspaceID == workspace }) {
                    admin = try await promote(present, authority, caller, people)
                } else {
                    admin = try await people.insertMember(
                        user: userID,
                        organization: organization,
                        workspace: workspace,
                        role: .admin,
                        by: caller.attribution
                    )
                }
                return (admin.id, answer(admin))
            }
        }
    }

    /// Makes a member of a workspace its admin.
    private func promote(
        _ member: Member,
        _ authority: MemberAuthority,
        _ caller: Caller,
        _ people: PeopleWriter
    ) async throws -> Member {
        guard member.role != .admin, member.role != .owner else {
            throw Refusal.memberExists("The user is an admin of this tenant already.")
        }
        try authority.requireGrant(member.role, workspace: member.workspaceID)
        let changed = try await people.changeMember(
            member.id,
            organization: member.organizationID,
            role: .admin,
            by: caller.attribution
        )
        guard let changed else { throw Refusal.notFound }
        return changed
    }
}
