import FoundationEssentials
import Keys
import People

/// The decisions about memberships that a principal can make.
///
/// A principal cannot give a role that is stronger than its own.
struct MemberAuthority {
    private let principal: Principal
    /// True if the organization has an owner.
    private let hasOwner: Bool

    init(_ principal: Principal, hasOwner: Bool) {
        self.principal = principal
        self.hasOwner = hasOwner
    }

    /// Throws unless the principal can give or remove a role.
    ///
    /// Operator keys can do everything here, because an organization without owners needs their help. An admin key
    /// counts as an admin: otherwise an admin could create a key and become an owner by it. An admin key can name the
    /// first owner. It needs the role's permissions itself: otherwise a key that can only write members would be as
    /// strong as the admin that it creates.
    ///
    /// - Parameters:
    ///   - role: The role.
    ///   - workspace: The workspace; `nil` is the whole organization.
    ///   - isGiven: False if the role is only removed or changed. A role that is given must not be stronger than a key
    ///     that gives it.
    /// - Throws: `Refusal`.
    func requireGrant(_ role: MemberRole, workspace: UUID?, isGiven: Bool = true) throws(Refusal) {
        let isAllowed: Bool
        switch principal.identity {
        case .system: isAllowed = true
        case .key:
            try principal.require(.membersWrite)
            try principal.requireEach(of: role.permissionsToGrant)
            if isGiven { try principal.requireHandOn(role) }
            isAllowed =
                principal.reach == .platform || MemberRole.admin.canGrant(role)
                || (role == .owner && !hasOwner)
        case .member:
            if let workspace {
                guard reaches(workspace) else { throw .notFound }
                try principal.require(.membersWrite, in: workspace)
            } else {
                try principal.requireWide(.membersWrite)
            }
            isAllowed = principal.role(in: workspace)?.canGrant(role) ?? false
        case .workspaceKey, .external: isAllowed = false
        }
        guard isAllowed else { throw .forbiddenKind("Only an owner can add, change or remove an owner.") }
    }

    /// Throws unless the principal is an owner of the organization, or an operator.
    func requireOwner() throws(Refusal) {
        if case .key = principal.identity, principal.reach == .platform { return }
        if case .member = principal.identity, principal.role(in: nil) == .owner { return }
        throw .forbiddenKind("Only an owner of the organization, or an operator, can do this.")
    }

    /// Throws `notFound` unless the principal sees a membership.
    func requireSight(of member: Member) throws(Refusal) {
        guard sees(member) else { throw .notFound }
    }

    /// Returns true if the principal sees a membership.
    func sees(_ member: Member) -> Bool { principal.sees(member) }

    /// Throws unless the principal can give every role that a user has anywhere.
    ///
    /// A caller that can set a password can sign in as that user.
    func requireIdentity(_ memberships: [Member]) throws(Refusal) {
        for membership in memberships {
            // Whoever can sign in as a user has the user's roles, so an operator key in test mode sets no password either.
            try principal.requireHandOn(membership.role)
            if principal.reach == .platform { continue }
            let isInReach =
                membership.organizationID == principal.organizationID
                && reaches(membership.workspaceID)
            guard isInReach else {
                throw .forbiddenKind(
                    "The user is also a member elsewhere, so only the user can change the name and the password."
                )
            }
            try requireGrant(membership.role, workspace: membership.workspaceID)
        }
    }

    /// Throws unless the principal can remove every role that a user has in an organization.
    ///
    /// The user's sessions there act with all of these roles. A caller could otherwise give an owner a further role, and end the owner's
    /// sessions because of that one.
    func requireSessions(_ memberships: [Member], in organization: UUID) throws(Refusal) {
        for membership in memberships where membership.organizationID == organization {
            guard reaches(membership.workspaceID) else {
                throw .forbiddenKind(
                    "The user has a role outside of your workspaces, so only those who manage that role can end the sessions."
                )
            }
            try requireGrant(membership.role, workspace: membership.workspaceID, isGiven: false)
        }
    }

    private func reaches(_ workspace: UUID?) -> Bool {
        guard case .workspaces(let own, _) = principal.reach else { return true }
        return workspace.map(own.contains) ?? false
    }
}

extension Principal {
    /// Returns true if the principal sees a membership of its organization.
    ///
    /// With `members:write` over the whole organization it sees all, otherwise those of the workspaces where it has
    /// that permission.
    func sees(_ member: Member) -> Bool {
        guard let workspaces = workspaces(with: .membersWrite) else { return true }
        return member.workspaceID.map(workspaces.contains) ?? false
    }
}
