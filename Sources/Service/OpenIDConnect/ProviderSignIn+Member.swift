import FoundationEssentials
import KeyStore
import Keys
import People
import Postgres
import Tenancy

/// The member for whom a person signs in.
extension ProviderSignIn {
    /// Begins the session of a person.
    ///
    /// The member is the one of the issuer and the subject. The first time, it is the one of the verified address, to which the subject
    /// is then bound: from then on, an address that the provider gives to somebody else opens nothing.
    ///
    /// - Returns: The value of the session's cookie.
    /// - Throws: `ProviderRefusal`, the database's errors.
    func begin(_ person: ProviderPerson, from origin: RequestOrigin) async throws -> String {
        do {
            if let cookie = try await beginKnown(person.subject, from: origin) { return cookie }
        } catch ProviderRefusal.unknown(let email) {
            await sessions.record(.unknownMember, EmailAddress(email), origin)
            throw ProviderRefusal.unknown(email: email)
        }
        let email = try await person.email()
        guard let email else { throw ProviderRefusal.unverified }
        let address = EmailAddress(email.text)
        do {
            guard email.isVerified else { throw ProviderRefusal.unverified }
            guard let address else { throw ProviderRefusal.unknown(email: email.text) }
            return try await beginFirst(person.subject, address, from: origin)
        } catch let refusal as ProviderRefusal {
            switch refusal {
            case .unverified: await sessions.record(.unverifiedEmail, address, origin)
            case .unknown: await sessions.record(.unknownMember, address, origin)
            case .otherSubject: await sessions.record(.otherSubject, address, origin)
            case .stale, .declined, .unusable: break
            }
            throw refusal
        }
    }

    /// Begins the session of the member to whom a subject is bound, or returns `nil` if there is none.
    private func beginKnown(_ subject: String, from origin: RequestOrigin) async throws -> String? {
        try await context.changeControl(.gives) { transaction in
            let people = context.people(in: transaction)
            guard let user = try await people.lockUser(issuer: provider.issuer, subject: subject) else { return nil }
            return try await begin(user, from: origin, in: transaction)
        }
    }

    /// Binds a subject to the member of a verified address, and begins the member's session.
    private func beginFirst(
        _ subject: String,
        _ address: EmailAddress,
        from origin: RequestOrigin
    ) async throws -> String {
        do {
            return try await context.changeControl(.gives) { transaction in
                let people = context.people(in: transaction)
                guard let user = try await people.lockUser(address) else {
                    throw ProviderRefusal.unknown(email: address.text)
                }
                // A concurrent sign-in of the same person has bound the subject meanwhile, or one of another person.
                if let known = user.identity, known.issuer == provider.issuer {
                    guard known.subject == subject else { throw ProviderRefusal.otherSubject(email: address.text) }
                } else {
                    guard let home = try await people.store.memberships(of: user.id).first else {
                        throw ProviderRefusal.unknown(email: address.text)
                    }
                    try await people.bind(
                        UserIdentity(issuer: provider.issuer, subject: subject, boundAt: try await transaction.now()),
                        to: user.id,
                        organization: home.organizationID,
                        by: origin.attribution(ActorKind.member.actor(user.id))
                    )
                }
                return try await begin(user, from: origin, in: transaction)
            }
        } catch let error as PostgresError where error.constraint == "users_identity" {
            // A concurrent sign-in bound the subject to the member of another address.
            throw ProviderRefusal.stale
        }
    }

    private func begin(
        _ user: User,
        from origin: RequestOrigin,
        in transaction: AuditedTransaction
    ) async throws -> String {
        let home = try await PeopleStore(transaction.connection).memberships(of: user.id).first
        guard let home, user.disabledAt == nil else { throw ProviderRefusal.unknown(email: user.email) }
        let begun = try await sessions.begin(
            user.id,
            organization: home.organizationID,
            from: origin,
            in: transaction
        )
        return sessions.cookie(of: begun.sessionID)
    }
}
