public import FoundationEssentials
import KeyStore
import Keys
public import People
import Tenancy

extension MemberService {
    /// Changes a member's role, name or password.
    ///
    /// - Parameters:
    ///   - id: The membership.
    ///   - change: The change.
    ///   - known: The member as the caller knows it. Defaults to `nil`: the change holds whatever the role and the name are now.
    ///     Only the role or the name that the change sets is compared.
    ///   - name: The organization, by id or slug.
    ///   - caller: The caller.
    /// - Returns: The member.
    /// - Throws: `ChangedMeanwhile` if a role or a name that the change sets is not the known one; `Refusal.conflict` for the last owner's role;
    ///   `forbiddenKind` for the name or password of a user who has a role that the caller could not give, and for a password if
    ///   passwords are off; `notFound`, `forbidden`, `unauthenticated`, `invalid`, `overloaded`, `CancellationError`.
    public func change(
        _ id: UUID,
        _ change: MemberChange,
        ifStill known: Member? = nil,
        organization name: String,
        by caller: Caller
    ) async throws -> Member {
        let organization = try await access.organization(name, for: caller.principal)
        try caller.principal.require(.membersWrite)
        if change.password != nil { try context.requirePasswords() }
        try UserInput.check(name: change.name ?? nil, password: change.password)
        var hash: PasswordHash?
        if let password = change.password {
            hash = try await passwords.hash(password, from: caller.network)
        }
        return try await context.changeControl { [hash] transaction in
            let people = context.people(in: transaction)
            let (member, authority) = try await lockMember(id, organization.id, caller, in: transaction)
            if change.role != nil, let known { try ChangedMeanwhile.require(known.role, isStill: member.role) }
            if let role = change.role, role != member.role {
                try authority.requireGrant(role, workspace: member.workspaceID)
                try await requireAnotherOwner(member, people.store)
                _ = try await people.changeMember(
                    id,
                    organization: organization.id,
                    role: role,
                    by: caller.attribution
                )
            }
            if change.name != nil || hash != nil {
                // Until this is committed, nobody can give the user another role, which the caller could not give.
                _ = try await people.lockUser(member.user.id)
                try authority.requireIdentity(try await people.store.memberships(of: member.user.id))
            }
            if let name = change.name {
                // As it is under the lock: another organization of the user can have changed the name since.
                guard let present = try await people.store.member(id, organization: organization.id) else {
                    throw Refusal.notFound
                }
                if let known { try ChangedMeanwhile.require(known.user.name ?? "", isStill: present.user.name ?? "") }
                try await people.setName(name, of: present, by: caller.attribution)
            }
            if let hash {
                try await people.setPassword(hash.text, of: member.user.id)
                try await people.endSessions(of: member.user.id, except: nil, .passwordChanged)
                try await people.recordNewPassword(
                    of: member.user.id,
                    organization: organization.id,
                    by: caller.attribution
                )
            }
            guard let changed = try await people.store.member(id, organization: organization.id) else {
                throw Refusal.notFound
            }
            return changed
        }
    }
}
