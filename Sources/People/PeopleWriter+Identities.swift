public import FoundationEssentials
public import KeyStore
public import Keys
import Postgres
import Tenancy

extension PeopleWriter {
    private static let lockByIdentity = Statement(
        "\(Credentials.select) WHERE u.identity_issuer = $1 AND u.identity_subject = $2 FOR UPDATE"
    )
    private static let set = Statement(
        """
        UPDATE control.users SET identity_issuer = $2, identity_subject = $3, identity_bound_at = $4, updated_at = now()
        WHERE id = $1
        """
    )
    private static let useOnce = Statement(
        "INSERT INTO control.single_uses (id, expires_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING"
    )

    /// Returns the user of a subject, locked until the transaction ends.
    public func lockUser(issuer: String, subject: String) async throws -> User? {
        try await connection.query(Self.lockByIdentity, [issuer, subject]).first.map { try User(row: $0) }
    }

    /// Binds a subject to a user, in place of one of another issuer.
    ///
    /// The caller has locked the user.
    ///
    /// - Parameters:
    ///   - identity: The subject.
    ///   - user: The user.
    ///   - organization: The organization of the event.
    ///   - attribution: The attribution of the event.
    /// - Throws: The database's errors, also if a concurrent sign-in has bound the subject to another user.
    public func bind(
        _ identity: UserIdentity,
        to user: UUID,
        organization: UUID,
        by attribution: Attribution
    ) async throws {
        try await set(identity, of: user)
        try await record(.identityBound, organization: organization, identity.changes(of: user), by: attribution)
    }

    /// Takes the subject from a user.
    ///
    /// The caller has locked the user.
    ///
    /// - Parameters:
    ///   - identity: The subject.
    ///   - user: The user.
    ///   - organization: The organization of the event.
    ///   - attribution: The attribution of the event.
    /// - Throws: The database's errors.
    public func unbind(
        _ identity: UserIdentity,
        from user: UUID,
        organization: UUID,
        by attribution: Attribution
    ) async throws {
        try await set(nil, of: user)
        try await record(.identityUnbound, organization: organization, identity.changes(of: user), by: attribution)
    }

    private func set(_ identity: UserIdentity?, of user: UUID) async throws {
        try await connection.query(
            Self.set,
            [user, identity?.issuer, identity?.subject, identity?.boundAt.stored]
        )
    }

    /// Marks a value for a single use as used.
    ///
    /// - Parameters:
    ///   - id: The name of the value.
    ///   - expiresAt: The time after which the value is refused without the mark.
    /// - Returns: False if it was used before.
    /// - Throws: The database's errors.
    public func useOnce(_ id: String, until expiresAt: Timestamp) async throws -> Bool {
        try await connection.query(Self.useOnce, [id, expiresAt.stored]).affectedRows == 1
    }
}

extension UserIdentity {
    /// The members of an event about the subject of a user.
    fileprivate func changes(of user: UUID) -> EventChanges {
        var changes = EventChanges()
        changes.add("user", user)
        changes.add("issuer", issuer)
        changes.add("subject", subject)
        return changes
    }
}
