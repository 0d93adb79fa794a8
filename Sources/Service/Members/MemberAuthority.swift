import FoundationEssentials
import Keys
import People
import Tenancy

/// Whose membership a principal may decide about: nobody hands on more than they have.
struct MemberAuthority {
    private let principal: Principal
    /// Whether the organization has an owner.
    private let hasOwner: Bool

    init(_ principal: Principal, hasOwner: Bool) {
        self.principal = principal
        self.hasOwner = hasOwner
    }

    /// Refuses unless it may give a role at a place, or take it away.
    ///
    /// Operator keys may do everything here: an organization that lost its owners has nobody else. An admin key counts as an admin, or an
    /// admin could make one and become an owner by it; but it may name the first owner. It needs the role's permissions itself, or one that
    /// may only write members would be as strong as the admin whom it makes.
    func requireGrant(_ role: MemberRole, workspace: UUID?) throws(Refusal) {
        let isAllowed: Bool
        switch principal.identity {
        case .system: isAllowed = true
        case .key:
            try principal.require(.membersWrite)
            try principal.requireEach(of: role.price)
            isAllowed =
                principal.reach == .platform || MemberRole.admin.mayGrant(role)
                || (role == .owner && !hasOwner)
        case .member:
            if let workspace {
                guard reaches(workspace) else { throw .notFound }
                try principal.require(.membersWrite, in: workspace)
            } else {
                try principal.requireWide(.membersWrite)
            }
            isAllowed = principal.role(in: workspace)?.mayGrant(role) ?? false
        case .workspaceKey, .external: isAllowed = false
        }
        guard isAllowed else { throw .forbiddenKind("Only an owner makes, changes or removes an owner.") }
    }

    /// Refuses, as what is not there, a membership that the principal does not see.
    func requireSight(of member: Member) throws(Refusal) {
        guard sees(member) else { throw .notFound }
    }

    /// Whether the principal sees a membership.
    func sees(_ member: Member) -> Bool { principal.sees(member) }

    /// Refuses unless every role that a user has anywhere is the principal's to give: who can set a password can be that user.
    func requireIdentity(_ memberships: [Member]) throws(Refusal) {
        guard principal.reach != .platform else { return }
        for membership in memberships {
            let isInReach =
                membership.organizationID == principal.organizationID
                && reaches(membership.workspaceID)
            guard isInReach else {
                throw .forbiddenKind(
                    "The user is a member elsewhere too; only they can change their name and password."
                )
            }
            try requireGrant(membership.role, workspace: membership.workspaceID)
        }
    }

    private func reaches(_ workspace: UUID?) -> Bool {
        guard case .workspaces(let own, _) = principal.reach else { return true }
        return workspace.map(own.contains) ?? false
    }
}

extension Principal {
    /// Whether it sees a membership of its organization: any with `members:write` over all of it, else those of the workspaces where it
    /// has that.
    func sees(_ member: Member) -> Bool {
        guard let places = workspaces(with: .membersWrite) else { return true }
        return member.workspaceID.map(places.contains) ?? false
    }
}
