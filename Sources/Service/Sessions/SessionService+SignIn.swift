import FoundationEssentials
import Keys
import People
import Postgres
import Tenancy

/// How a session begins with a password.
extension SessionService {
    /// Begins a session.
    ///
    /// An unknown address takes as long as a wrong password, and is answered alike.
    ///
    /// - Parameters:
    ///   - email: the user's address.
    ///   - password: the password.
    ///   - organization: the id or slug of the organization to act in; by default the one that the user has been in longest.
    ///   - origin: where the request comes from.
    /// - Returns: the session and its tokens.
    /// - Throws: `Refusal.unauthenticated`, `tooManyAttempts` after too many failures from there, `overloaded`.
    public func signIn(
        email: String,
        password: String,
        organization: String? = nil,
        from origin: RequestOrigin
    ) async throws -> SignedIn {
        // A hash that was replaced while it was compared may be of another password, after a reset, or a renewed one of the same.
        for _ in 0..<2 {
            let known = try await check(password, of: EmailAddress(email), from: origin)
            let session: SignedIn? = try await platform.controlTransaction { connection in
                let store = platform.peopleStore(connection)
                guard let user = try await store.lockUser(known.userID), user.user.disabledAt == nil else {
                    throw Refusal.unauthenticated
                }
                guard user.passwordHash == known.hash else { return nil }
                if let renewed = known.renewed { try await store.rehashPassword(renewed.text, of: known.userID) }
                let place = try await self.organization(organization, of: known.userID, connection)
                return try await begin(known.userID, organization: place, from: origin, connection)
            }
            if let session { return session }
        }
        throw Refusal.unauthenticated
    }

    /// A user whose password was shown to be known, and the hash that says so.
    private struct Checked {
        let userID: UUID
        let hash: String
        let renewed: PasswordHash?
    }

    /// Takes a guess at the password of an address.
    private func check(
        _ password: String,
        of address: EmailAddress?,
        from origin: RequestOrigin
    ) async throws -> Checked {
        // What is no address can be guessed at as well; it must not be told apart, and must not fill the memory.
        let account = address?.text ?? ""
        let checked = try await platform.guesses.counting(account: account, from: origin.address) {
            let found = try await platform.databases.control.pool.withConnection { connection in
                guard let address else { return (user: User, passwordHash: String?)?.none }
                return try await platform.peopleStore(connection).credentials(of: address)
            }
            guard password.utf8.count <= SessionLimits.passwordBytes else { return Checked?.none }
            let network = origin.address
            let matches = try await platform.passwords.matches(password, found?.passwordHash, from: network)
            guard matches, let found, let hash = found.passwordHash, found.user.disabledAt == nil else { return nil }
            return Checked(
                userID: found.user.id,
                hash: hash,
                renewed: await platform.passwords.renewed(password, hash, from: network)
            )
        }
        guard let checked else { throw Refusal.unauthenticated }
        return checked
    }

    /// The organization that a session is to act in.
    private func organization(
        _ name: String?,
        of user: UUID,
        _ connection: PostgresConnection
    ) async throws -> UUID {
        let memberships = try await platform.peopleStore(connection).memberships(of: user)
        guard let name else {
            guard let first = memberships.first else { throw Refusal.unauthenticated }
            return first.organizationID
        }
        let named =
            if let id = UUIDv7.parse(name) { id } else { try await platform.controlStore(connection).organization(slug: name)?.id }
        guard let named, memberships.contains(where: { $0.organizationID == named }) else {
            throw Refusal.unauthenticated
        }
        return named
    }
}
