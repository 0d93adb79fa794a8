import FoundationEssentials
import KeyStore
import Keys
import Logging
import People
import Tenancy

extension SessionService {
    /// Begins a session with a password.
    ///
    /// An unknown address takes as long as a wrong password and has the same answer.
    ///
    /// - Parameters:
    ///   - email: The user's address.
    ///   - password: The password.
    ///   - organization: The id or slug of the organization to act in; by default the one in which the user has been
    ///     longest.
    ///   - origin: The request's origin.
    /// - Returns: The session and its tokens.
    /// - Throws: `Refusal.unauthenticated`, `tooManyAttempts` after too many failures from there, `overloaded`,
    ///   `forbiddenKind` if passwords are off.
    public func signIn(
        email: String,
        password: String,
        organization: String? = nil,
        from origin: RequestOrigin
    ) async throws -> SignedIn {
        try context.requirePasswords()
        // A hash that was replaced during the comparison can be of another password, after a reset, or a newer one of
        // the same password.
        for _ in 0..<2 {
            let verified = try await verifyOrRecord(password, of: EmailAddress(email), from: origin)
            let session: SignedIn? = try await context.changeControl(.gives) { transaction in
                let people = context.people(in: transaction)
                guard let user = try await people.lockUser(verified.userID), user.user.disabledAt == nil else {
                    throw Refusal.unauthenticated
                }
                guard user.passwordHash == verified.hash else { return nil }
                if let renewed = verified.renewed {
                    try await people.replaceHash(renewed.text, of: verified.userID)
                }
                let organization = try await self.organization(organization, of: verified.userID, transaction)
                return try await begin(verified.userID, organization: organization, from: origin, in: transaction)
            }
            if let session { return session }
        }
        throw Refusal.unauthenticated
    }

    /// A user whose password was verified, and the hash that it was compared with.
    private struct Verified {
        let userID: UUID
        let hash: String
        let renewed: PasswordHash?
    }

    /// Compares a password with the one of an address, and records a refusal.
    private func verifyOrRecord(
        _ password: String,
        of address: EmailAddress?,
        from origin: RequestOrigin
    ) async throws -> Verified {
        do {
            return try await verify(password, of: address, from: origin)
        } catch let refusal as Refusal {
            switch refusal {
            case .unauthenticated: await record(.wrongCredentials, address, origin)
            case .tooManyAttempts: await record(.tooManyAttempts, address, origin)
            default: break
            }
            throw refusal
        }
    }

    /// Records a refused sign-in, for an unknown address as for a known one.
    ///
    /// A refusal that cannot be recorded is still a refusal.
    func record(_ reason: SignInRefusals.Reason, _ address: EmailAddress?, _ origin: RequestOrigin) async {
        let events = refusals.count(address?.text ?? "", reason, from: origin.address)
        await record(events, reason, by: origin.attribution(ActorKind.signIn)) { store in
            guard let address, let known = try await store.credentials(of: address) else { return nil }
            let organization = try await store.memberships(of: known.user.id).first?.organizationID
            return (known.user.id, organization)
        }
    }

    /// Records a refused sign-in that is about no account.
    func record(_ reason: SignInRefusals.Reason, from origin: RequestOrigin) async {
        let events = refusals.count(reason, from: origin.address)
        await record(events, reason, by: origin.attribution(ActorKind.signIn)) { _ in nil }
    }

    /// Records that a member did not know the present password.
    ///
    /// Whoever has taken over a session could guess it otherwise without a trace.
    func record(
        _ reason: SignInRefusals.Reason,
        of member: MemberIdentity,
        in organization: UUID,
        by caller: Caller
    ) async {
        // Apart from refused sign-ins of the same user, which have no session.
        let events = refusals.count("present password of \(member.userID)", reason, from: caller.network)
        await record(events, reason, by: caller.attribution) { _ in (member.userID, organization) }
    }

    /// Records refusals.
    ///
    /// - Parameters:
    ///   - events: The events.
    ///   - reason: The reason of all of them.
    ///   - attribution: The attribution of the events.
    ///   - find: Returns the user of the account, and the user's organization.
    private func record(
        _ events: [SignInRefusals.Event],
        _ reason: SignInRefusals.Reason,
        by attribution: Attribution,
        _ find: (PeopleStore) async throws -> (user: UUID, organization: UUID?)?
    ) async {
        if events.isEmpty { return }
        do {
            try await context.changeControl(.gives) { transaction in
                let people = context.people(in: transaction)
                for event in events {
                    let known = try await event.scope == .account ? find(people.store) : nil
                    try await people.recordRefusal(
                        of: known?.user,
                        organization: known?.organization,
                        reason: reason.rawValue,
                        count: event.count,
                        scope: event.scope.rawValue,
                        by: attribution
                    )
                }
            }
        } catch {
            context.logger.warning("a refused sign-in could not be recorded", metadata: ["error": "\(error)"])
        }
    }

    /// Compares a password with the one of an address, as one guess.
    private func verify(
        _ password: String,
        of address: EmailAddress?,
        from origin: RequestOrigin
    ) async throws -> Verified {
        // A text that is no address can be guessed at as well. It must not be told apart, and must not fill the memory.
        let account = address?.text ?? ""
        let network = origin.address
        let verified = try await guesses.counting(account: account, from: network) {
            let known = try await context.readPeople { store in
                guard let address else { return Credentials?.none }
                return try await store.credentials(of: address)
            }
            guard password.utf8.count <= SessionLimits.passwordBytes else { return Verified?.none }
            let matches = try await passwords.matches(password, known?.passwordHash, from: network)
            guard matches, let known, let hash = known.passwordHash, known.user.disabledAt == nil else { return nil }
            return Verified(
                userID: known.user.id,
                hash: hash,
                renewed: await passwords.renewed(password, hash, from: network)
            )
        }
        guard let verified else { throw Refusal.unauthenticated }
        return verified
    }

    /// Returns the organization that a session acts in.
    private func organization(
        _ name: String?,
        of user: UUID,
        _ transaction: AuditedTransaction
    ) async throws -> UUID {
        let memberships = try await PeopleStore(transaction.connection).memberships(of: user)
        guard let name else {
            guard let first = memberships.first else { throw Refusal.unauthenticated }
            return first.organizationID
        }
        let named =
            if let id = UUIDv7.parse(name) {
                id
            } else {
                try await ControlStore(transaction.connection).organization(slug: name)?.id
            }
        guard let named, memberships.contains(where: { $0.organizationID == named }) else {
            throw Refusal.unauthenticated
        }
        return named
    }
}
