public import FoundationEssentials
import KeyStore
import Keys
import Logging
import People
import Postgres
import Tenancy

extension MemberService {
    /// Removes a membership.
    ///
    /// The user's client keys in the workspaces that the user can no longer enter are disabled by default. They are changed before the
    /// membership goes: if a workspace cannot be reached, the member stays, and the call can be repeated. To remove the member at once,
    /// keep the keys. Keys that the member creates meanwhile are changed after the membership is gone: if that fails, the call can be
    /// repeated, too, and nodes go on with it.
    ///
    /// With the last membership in the organization the user's sessions there end. A user without any is deleted.
    ///
    /// - Parameters:
    ///   - id: The membership.
    ///   - fate: The outcome for the user's client keys.
    ///   - name: The organization, by id or slug.
    ///   - caller: The caller.
    /// - Returns: The number of client keys of the user that worked before the call.
    /// - Throws: `Refusal.conflict` for the last owner; `workspaceUnavailable`, `notFound`, `forbidden`,
    ///   `unauthenticated`; the database's errors, also if the task is cancelled.
    @discardableResult
    public func remove(
        _ id: UUID,
        clientKeys fate: ClientKeyTreatment = .disable,
        organization name: String,
        by caller: Caller
    ) async throws -> Int {
        let organization = try await access.organization(name, for: caller.principal).id
        try caller.principal.require(.membersWrite)
        let seen: (user: UUID, workspaces: [Workspace])
        do {
            seen = try await context.changeControl { transaction in
                let (member, _) = try await lockMember(id, organization, caller, in: transaction)
                let store = PeopleStore(transaction.connection)
                try await requireAnotherOwner(member, store)
                let others = try await store.memberships(of: member.user.id)
                    .filter { $0.organizationID == organization && $0.id != member.id }
                return (
                    member.user.id, try await lost(by: member, besides: others, ControlStore(transaction.connection))
                )
            }
        } catch Refusal.notFound {
            return try await continueRemoval(of: id, organization, by: caller)
        }
        let count = try await retireKeys(of: UUIDv7.text(of: seen.user), in: seen.workspaces, fate, by: caller)
        let rest = try await context.changeControl { transaction in
            let people = context.people(in: transaction)
            let (member, _) = try await lockMember(id, organization, caller, in: transaction)
            try await requireAnotherOwner(member, people.store)
            _ = try await people.lockUser(member.user.id)
            try await people.deleteMember(
                id,
                organization: organization,
                clientKeys: (fate: fate.rawValue, count: count),
                by: caller.attribution
            )
            let others = try await people.store.memberships(of: member.user.id)
                .filter { $0.organizationID == organization }
            if others.isEmpty {
                // Otherwise old sessions, which another person can hold, would be valid again when the user is added again.
                try await people.endSessions(of: member.user.id, in: organization, .removed)
            }
            try await people.deleteUserWithoutRoles(member.user.id)
            guard fate != .keep else { return [PendingRetirement]() }
            // Until the membership is gone, the user can create another key. Another removal at the same time can have taken the role that
            // would have kept a workspace.
            let lost = try await lost(by: member, besides: others, ControlStore(transaction.connection))
            let retirements = PendingRetirements(transaction.connection)
            try await retirements.insert(
                id,
                in: lost.map(\.id),
                organization: organization,
                user: member.user.id,
                treatment: fate.rawValue
            )
            return try await retirements.all(of: id, organization: organization)
        }
        _ = try await finish(rest, by: finisher(of: seen.user, caller))
        return count
    }

    /// Goes on with a removal that was interrupted, or was answered with 503, after the membership was gone.
    ///
    /// - Throws: `Refusal.notFound` if nothing is left to do.
    private func continueRemoval(of id: UUID, _ organization: UUID, by caller: Caller) async throws -> Int {
        let rest = try await context.readPeople { try await $0.retirements(of: id, organization: organization) }
        guard let user = rest.first?.userID else { throw Refusal.notFound }
        return try await finish(rest, by: finisher(of: user, caller))
    }

    /// Returns the caller of the last changes of a removal: a member that has removed itself is nobody any more.
    private func finisher(of user: UUID, _ caller: Caller) -> Caller {
        let isOwn = caller.principal.member?.userID == user
        return Caller(
            principal: isOwn ? .system : caller.principal,
            address: caller.address,
            requestID: caller.requestID
        )
    }

    /// Changes the keys of several retirements, as many as possible.
    ///
    /// - Throws: The first error, after all have been tried. Nodes then go on with those that failed (``RemovalRetries``).
    private func finish(_ retirements: [PendingRetirement], by caller: Caller) async throws -> Int {
        var count = 0
        var fault: (any Error)?
        for retirement in retirements {
            do {
                count += try await finish(retirement, by: caller)
            } catch {
                fault = fault ?? error
            }
        }
        if let fault { throw fault }
        return count
    }

    /// Disables or revokes the client keys of a removed member in one workspace.
    ///
    /// - Returns: The number of keys that worked.
    /// - Throws: `Refusal`, or the database's errors. The retirement then stays.
    func finish(_ retirement: PendingRetirement, by caller: Caller) async throws -> Int {
        var count = 0
        let fate = ClientKeyTreatment(rawValue: retirement.treatment) ?? .disable
        if let workspace = try await context.readControl({ try await $0.workspace(retirement.workspaceID) }) {
            try await lockChanges(by: retirement.userID, in: workspace)
            count = try await retireKeys(of: UUIDv7.text(of: retirement.userID), in: [workspace], fate, by: caller)
        }
        try await context.databases.control.pool.withConnection {
            try await PendingRetirements($0).remove(retirement)
        }
        return count
    }

    /// Takes the rights of an admin in a workspace from a user, and nothing else.
    ///
    /// The user becomes a `member` of the workspace. A user with a role in the whole organization keeps that role, and the one in the
    /// workspace is deleted: it would otherwise outlive the user's removal from the organization. In both cases the user can still enter
    /// the workspace, so the client keys and the sessions stay.
    ///
    /// - Parameters:
    ///   - userID: The admin.
    ///   - workspace: The workspace.
    ///   - name: The organization, by id or slug.
    ///   - caller: The caller.
    /// - Throws: `Refusal.notFound` for a user who is no admin of the workspace; `forbidden`, `forbiddenKind`, `unauthenticated`; the
    ///   database's errors, also if the task is cancelled.
    public func removeAdmin(
        _ userID: UUID,
        ofWorkspace workspace: UUID,
        organization name: String,
        by caller: Caller
    ) async throws {
        let organization = try await access.organization(name, for: caller.principal).id
        try caller.principal.require(.membersWrite, in: workspace)
        try await context.changeControl { transaction in
            let people = context.people(in: transaction)
            try await lockChanges(by: userID, for: caller, in: transaction)
            let authority = try await self.authority(caller, organization, in: transaction)
            let memberships = try await people.store.memberships(of: userID)
                .filter { $0.organizationID == organization }
            guard
                let admin = memberships.first(where: { $0.workspaceID == workspace }),
                admin.role == .admin || admin.role == .owner
            else { throw Refusal.notFound }
            try authority.requireSight(of: admin)
            // An admin has all rights of a `member` already, so the caller need not be able to give that role.
            try authority.requireGrant(admin.role, workspace: workspace, isGiven: false)
            if memberships.contains(where: { $0.workspaceID == nil }) {
                try await people.deleteMember(
                    admin.id,
                    organization: organization,
                    clientKeys: (fate: ClientKeyTreatment.keep.rawValue, count: 0),
                    by: caller.attribution
                )
            } else {
                _ = try await people.changeMember(
                    admin.id,
                    organization: organization,
                    role: .member,
                    by: caller.attribution
                )
            }
        }
    }

    /// Returns the workspaces that a user can no longer enter without a membership.
    ///
    /// Archived workspaces are among them, because they can be restored.
    private func lost(by member: Member, besides others: [Member], _ store: ControlStore) async throws -> [Workspace] {
        guard !others.contains(where: { $0.workspaceID == nil }) else { return [] }
        let kept = Set(others.compactMap(\.workspaceID))
        var found: [Workspace] = []
        var position = PagePosition.first
        while true {
            let page = try await store.workspaces(
                PageRequest(limit: 100, position),
                WorkspaceFilter(organizationID: member.organizationID, states: [.active, .suspended, .archived])
            )
            found += page.items.filter { workspace in
                (member.workspaceID == nil || member.workspaceID == workspace.id) && !kept.contains(workspace.id)
            }
            guard let next = page.next else { return found }
            position = .after(next)
        }
    }

    /// Waits until the changes of keys that a removed member had begun have ended.
    ///
    /// No other one begins.
    private func lockChanges(by user: UUID, in workspace: Workspace) async throws {
        do {
            try await context.withConnection(to: workspace.facts, .stops) {
                try await KeyStore($0).lockChanges(by: user)
            }
        } catch Refusal.notFound {
            // The workspace was deleted meanwhile.
        }
    }

    /// Disables or revokes a subject's client keys in some workspaces.
    ///
    /// - Returns: The number of keys that worked. With ``ClientKeyTreatment/keep``, keys in workspaces that cannot be reached
    ///   do not count.
    private func retireKeys(
        of subject: String,
        in workspaces: [Workspace],
        _ fate: ClientKeyTreatment,
        by caller: Caller
    ) async throws -> Int {
        var count = 0
        for workspace in workspaces {
            let collection = access.clientKeys(of: workspace, subject: subject)
            do {
                count += try await keys.retire(collection, fate, by: caller)
            } catch Refusal.notFound {
                // The workspace was deleted meanwhile.
            } catch Refusal.workspaceUnavailable where fate == .keep {
                continue
            }
        }
        return count
    }
}
