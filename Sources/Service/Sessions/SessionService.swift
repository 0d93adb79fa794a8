import FoundationEssentials
import KeyStore
import Keys
import Logging
import People
import Postgres
import Tenancy

/// Members' sessions: they begin with a password or with an identity provider, are refreshed with refresh tokens that are good once, and
/// end.
public struct SessionService: Sendable {
    let context: ServiceDependencies
    let passwords: PasswordHasher
    let guesses: GuessLimiter
    let refusals: SignInRefusals

    /// Begins a session of a user whose password was verified, or for whom the identity provider or another session vouches.
    ///
    /// - Parameters:
    ///   - user: The user, who is locked.
    ///   - organization: The organization that the session acts in.
    ///   - limit: The time at which the session ends in any case, if it is before the usual one. Defaults to `nil`, the usual one.
    ///   - origin: The request's origin.
    ///   - transaction: The transaction of the session.
    /// - Returns: The session and its tokens.
    /// - Throws: `Refusal.unauthenticated` for a user without a role in the organization; the database's errors.
    func begin(
        _ user: UUID,
        organization: UUID,
        until limit: Timestamp? = nil,
        from origin: RequestOrigin,
        in transaction: AuditedTransaction
    ) async throws -> SignedIn {
        let people = context.people(in: transaction)
        let now = try await transaction.now()
        let id = context.newID(at: now)
        let usual = now + SessionLimits.absolute
        let expiresAt = limit.map { min($0, usual) } ?? usual
        try await people.insertSession(
            id,
            user: user,
            organization: organization,
            at: now,
            refreshUntil: min(now + SessionLimits.idle, expiresAt),
            expiresAt: expiresAt,
            address: origin.address?.description
        )
        guard let session = try await people.store.session(id) else { throw Refusal.unauthenticated }
        try await people.record(
            .sessionBegun,
            session: id,
            organization: organization,
            by: session.attribution(from: origin)
        )
        return try await issue(session, at: now, in: transaction)
    }

    /// Exchanges a refresh token for new tokens of its session.
    ///
    /// A refresh token is good once. If it comes again, the session ends: one of its two senders does not own it.
    ///
    /// - Throws: `Refusal.unauthenticated`, and `directoryUnavailable` if the control database cannot be reached; the database's errors.
    public func refresh(_ refreshToken: String, from origin: RequestOrigin) async throws -> SignedIn {
        guard let token = try? Token(refreshToken), token.parsed.workspaceRef.isRoot else {
            throw Refusal.unauthenticated
        }
        let digests = context.rootPeppers.digests(of: token)
        // Anybody can make up a token with a right checksum. It costs one read, and no transaction, which would wait for the standby.
        let isKnown = try await context.readCaller { try await PeopleStore.hasRefreshToken(digests, in: $0) }
        guard isKnown else { throw Refusal.unauthenticated }
        // The end of a session must be committed, so the transaction cannot throw the refusal.
        let outcome: SignedIn? = try await context.changeControl(.gives) { transaction in
            let people = context.people(in: transaction)
            guard let known = try await people.lockRefreshToken(digests) else { return nil }
            let now = try await transaction.now()
            guard let session = try await people.store.session(known.sessionID) else { return nil }
            guard known.usedAt == nil else {
                try await endReused(session, from: origin, people)
                return nil
            }
            guard session.isAlive else { return nil }
            try await people.useRefreshToken(
                known,
                at: now,
                refreshUntil: min(now + SessionLimits.idle, session.expiresAt)
            )
            return try await issue(session, at: now, in: transaction)
        }
        guard let outcome else { throw Refusal.unauthenticated }
        return outcome
    }

    /// Ends a session whose refresh token came a second time.
    private func endReused(
        _ session: SessionRecord,
        from origin: RequestOrigin,
        _ people: PeopleWriter
    ) async throws {
        guard try await people.endSession(session.id, .reused) else { return }
        try await people.record(
            .sessionReused,
            session: session.id,
            organization: session.organizationID,
            by: session.attribution(from: origin)
        )
        context.logger.warning(
            "a refresh token came twice; its session was ended",
            metadata: ["user_id": "\(UUIDv7.text(of: session.user.id))"]
        )
    }

    /// Issues a session's next pair of tokens.
    private func issue(
        _ session: SessionRecord,
        at now: Timestamp,
        in transaction: AuditedTransaction
    ) async throws -> SignedIn {
        guard let principal = Principal(session), let secret = context.secrets.sessions.first else {
            throw Refusal.unauthenticated
        }
        let refresh = context.newToken(.refresh, .live, workspace: .root)
        let digest = context.digest(of: refresh)
        try await context.people(in: transaction).insertRefreshToken(digest, session: session.id, at: now)
        let workspace = try await ControlStore(transaction.connection)
            .fallbackWorkspace(of: session.organizationID, among: principal.confinement)
        return SignedIn(
            user: session.user,
            sessionID: session.id,
            organizationID: session.organizationID,
            memberships: session.memberships,
            accessToken: AccessToken.make(
                session,
                workspace: workspace,
                id: context.newID(at: now),
                at: now,
                secret
            ),
            refreshToken: refresh,
            expiresIn: Int(AccessToken.lifetime.components.seconds),
            expiresAt: now + AccessToken.lifetime,
            principal: principal
        )
    }

    /// Authenticates a member by an access token, with one read: an ended session is refused at once.
    ///
    /// - Throws: `Refusal.unauthenticated`, and `directoryUnavailable` if the control database cannot be reached.
    func authenticate(_ text: String) async throws -> Principal {
        guard let token = AccessToken.read(text, context.secrets.sessions) else { throw Refusal.unauthenticated }
        let session = try await find(token.sessionID)
        guard let session, session.isAlive, session.user.id == token.userID, token.isGood(at: session.readAt),
            let principal = Principal(session)
        else { throw Refusal.unauthenticated }
        return principal
    }

    /// Ends the session of a member.
    ///
    /// For a key it does nothing.
    public func signOut(_ caller: Caller) async throws {
        guard let member = caller.principal.member, let organization = caller.principal.organizationID else { return }
        try await context.changeControl { transaction in
            let people = context.people(in: transaction)
            guard try await people.endSession(member.sessionID, .signedOut) else { return }
            try await people.record(
                .sessionEnded,
                session: member.sessionID,
                organization: organization,
                by: caller.attribution
            )
        }
    }

    /// Returns a member's own view; `nil` for keys.
    public func me(_ principal: Principal) async throws -> Me? {
        guard let member = principal.member else { return nil }
        guard let session = try await find(member.sessionID) else { throw Refusal.unauthenticated }
        return Me(
            user: session.user,
            sessionID: session.id,
            organizationID: session.organizationID,
            memberships: session.memberships
        )
    }

    private func find(_ id: UUID) async throws -> SessionRecord? {
        try await context.readCaller { try await PeopleStore.session(id, in: $0) }
    }
}

extension SessionRecord {
    /// Returns the attribution of a change that the session's user made.
    fileprivate func attribution(from origin: RequestOrigin) -> Attribution {
        origin.attribution(ActorKind.member.actor(user.id))
    }
}
