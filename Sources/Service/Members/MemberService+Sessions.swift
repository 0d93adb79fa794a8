public import FoundationEssentials
import KeyStore
import Keys
public import People
import Tenancy

/// The sessions of a member, for those who manage members.
extension MemberService {
    /// Returns the sessions of a member in the organization that have not ended, newest first, at most 100.
    ///
    /// - Throws: The errors of ``get(_:organization:by:)``.
    public func sessions(of id: UUID, organization name: String, by caller: Caller) async throws -> [SessionSummary] {
        let member = try await get(id, organization: name, by: caller)
        return try await context.readPeople {
            try await $0.sessions(of: member.user.id, in: member.organizationID)
        }
    }

    /// Ends the sessions of a member in the organization.
    ///
    /// - Returns: The number of sessions that ended.
    /// - Throws: `Refusal.notFound`, `forbidden`, `unauthenticated`; the database's errors.
    public func endSessions(of id: UUID, organization name: String, by caller: Caller) async throws -> Int {
        let organization = try await access.organization(name, for: caller.principal).id
        try caller.principal.require(.membersWrite)
        return try await context.changeControl { transaction in
            let (member, _) = try await lockMember(id, organization, caller, in: transaction)
            return try await context.people(in: transaction)
                .endSessions(.allIn(organization), of: member.user.id, .signedOut, by: caller.attribution)
        }
    }
}
