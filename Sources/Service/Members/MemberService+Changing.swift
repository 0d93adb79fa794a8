public import FoundationEssentials
import Keys
public import People
import Postgres
import Tenancy

/// How a role, a name or a password changes, and how a role is taken away.
extension MemberService {
    /// Changes a member's role, name or password.
    ///
    /// - Throws: `Refusal.conflict` for the last owner's role; `forbiddenKind` for the name or password of who has a role that the caller
    ///   could not give; `notFound`, `forbidden`, `unauthenticated`, `invalid`, `overloaded`, `CancellationError`.
    public func change(
        _ id: UUID,
        _ change: MemberChange,
        organization name: String,
        by caller: Caller
    ) async throws -> Member {
        let organization = try await platform.access.organization(name, for: caller.principal)
        try caller.principal.require(.membersWrite)
        if let name = change.name { try UserInput.check(name: name) }
        if let password = change.password { try UserInput.check(password: password) }
        var hash: PasswordHash?
        if let password = change.password {
            hash = try await platform.passwords.hash(password, from: caller.network)
        }
        return try await platform.controlTransaction { [hash] connection in
            let store = platform.peopleStore(connection)
            let (member, authority) = try await locked(id, organization.id, caller, connection)
            if let role = change.role, role != member.role {
                try authority.requireGrant(role, workspace: member.workspaceID)
                try await requireAnotherOwner(member, store)
                _ = try await store.changeMember(
                    id,
                    organization: organization.id,
                    role: role,
                    by: caller.attribution
                )
            }
            if change.name != nil || hash != nil {
                // So that nobody gives them a further role, which the caller could not give, before this is committed.
                _ = try await store.lockUser(member.user.id)
                try authority.requireIdentity(try await store.memberships(of: member.user.id))
            }
            if let name = change.name { try await store.setName(name, of: member.user.id) }
            if let hash {
                try await store.setPassword(hash.text, of: member.user.id)
                try await store.endSessions(of: member.user.id, except: nil, .passwordChanged)
                try await noteNewPassword(of: member.user.id, organization: organization.id, caller, store)
            }
            guard let changed = try await store.member(id, organization: organization.id) else {
                throw Refusal.notFound
            }
            return changed
        }
    }

    /// Takes a membership away; with the last one in the organization the user's sessions there end, and a user without any is removed.
    ///
    /// - Throws: `Refusal.conflict` for the last owner; `notFound`, `forbidden`, `unauthenticated`; the database's errors, also where the
    ///   task is cancelled.
    public func remove(_ id: UUID, organization name: String, by caller: Caller) async throws {
        let organization = try await platform.access.organization(name, for: caller.principal).id
        try caller.principal.require(.membersWrite)
        try await platform.controlTransaction { connection in
            let store = platform.peopleStore(connection)
            let (member, _) = try await locked(id, organization, caller, connection)
            try await requireAnotherOwner(member, store)
            _ = try await store.lockUser(member.user.id)
            try await store.deleteMember(id, organization: organization, by: caller.attribution)
            let left = try await store.memberships(of: member.user.id)
            if !left.contains(where: { $0.organizationID == organization }) {
                // Or they would sleep, and wake in whoever's hands they are when the user is added again.
                try await store.endSessions(of: member.user.id, in: organization, .removed)
            }
            try await store.deleteUserIfNowhere(member.user.id)
        }
    }
}
