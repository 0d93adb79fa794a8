public import FoundationEssentials
import KeyStore
import Keys
public import People
import Tenancy

extension MemberService {
    /// Separates a member from a subject of the identity provider, so that another one with the member's address can sign in.
    ///
    /// The user's sessions end, because the subject can have begun them.
    ///
    /// - Parameters:
    ///   - id: The membership.
    ///   - known: The member as the caller knows it. Defaults to `nil`: whatever the subject is now, it is separated.
    ///   - name: The organization, by id or slug.
    ///   - caller: The caller: an owner of the organization, or an operator.
    /// - Returns: The member.
    /// - Throws: `ChangedMeanwhile` if the subject is not the known one; `Refusal.forbiddenKind` for any other caller, and for a user with a
    ///   role that the caller could not give; `conflict` for a member without a subject; `notFound`, `forbidden`, `unauthenticated`; the
    ///   database's errors, also if the task is cancelled.
    @discardableResult
    public func unbindIdentity(
        of id: UUID,
        ifStill known: Member? = nil,
        organization name: String,
        by caller: Caller
    ) async throws -> Member {
        let organization = try await access.organization(name, for: caller.principal).id
        try caller.principal.require(.membersWrite)
        return try await context.changeControl { transaction in
            let people = context.people(in: transaction)
            let (member, authority) = try await lockMember(id, organization, caller, in: transaction)
            try authority.requireOwner()
            let user = try await people.lockUser(member.user.id)?.user
            // Whoever opens the way for another subject decides who signs in as the user.
            try authority.requireIdentity(try await people.store.memberships(of: member.user.id))
            guard let identity = user?.identity else {
                throw Refusal.conflict("The member has not signed in with the identity provider yet.")
            }
            if let known { try ChangedMeanwhile.require(known.user.identity, isStill: identity) }
            try await people.unbind(
                identity,
                from: member.user.id,
                organization: organization,
                by: caller.attribution
            )
            try await people.endSessions(of: member.user.id, except: nil, .unbound)
            guard let changed = try await people.store.member(id, organization: organization) else {
                throw Refusal.notFound
            }
            return changed
        }
    }
}
