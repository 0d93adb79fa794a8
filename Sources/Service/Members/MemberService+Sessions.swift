public import FoundationEssentials
import KeyStore
import Keys
public import People
import Tenancy

/// The sessions of a member, for those who manage members.
extension MemberService {
    /// Returns the sessions of a member in the organization that have not ended, newest first, at most 100.
    ///
    /// - Throws: `Refusal.forbiddenKind` if the user has a role in the organization that the caller does not see, and the errors of
    ///   ``get(_:organization:by:)``.
    public func sessions(of id: UUID, organization name: String, by caller: Caller) async throws -> [SessionSummary] {
        let member = try await get(id, organization: name, by: caller)
        return try await context.readPeople { people in
            // The sessions act with all roles, and not with the one that the caller manages.
            for other in try await people.memberships(of: member.user.id)
            where other.organizationID == member.organizationID && !caller.principal.sees(other) {
                throw Refusal.forbiddenKind(
                    "The user has a role outside of your workspaces, so only those who manage that role see the sessions."
                )
            }
            return try await people.sessions(of: member.user.id, in: member.organizationID)
        }
    }

    /// Ends the sessions of a member in the organization.
    ///
    /// - Returns: The number of sessions that ended.
    /// - Throws: `Refusal.forbiddenKind` for a user with a role in the organization that the caller could not remove; `notFound`,
    ///   `forbidden`, `unauthenticated`; the database's errors.
    public func endSessions(of id: UUID, organization name: String, by caller: Caller) async throws -> Int {
        let organization = try await access.organization(name, for: caller.principal).id
        try caller.principal.require(.membersWrite)
        return try await context.changeControl { transaction in
            let (member, authority) = try await lockMember(id, organization, caller, in: transaction)
            let people = context.people(in: transaction)
            try authority.requireSessions(
                try await people.store.memberships(of: member.user.id),
                in: organization
            )
            return try await people.endSessions(
                .allIn(organization),
                of: member.user.id,
                .signedOut,
                by: caller.attribution
            )
        }
    }
}
