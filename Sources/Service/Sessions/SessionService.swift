import FoundationEssentials
import JSON
import KeyStore
import Keys
import Logging
import People
import Postgres
import Tenancy

/// Members' sessions: begun with a password, prolonged with refresh tokens that are good once, and ended.
public struct SessionService: Sendable {
    let platform: Platform

    init(_ platform: Platform) { self.platform = platform }

    /// Begins a session of a user who has shown who they are.
    func begin(
        _ user: UUID,
        organization: UUID,
        from origin: RequestOrigin,
        _ connection: PostgresConnection
    ) async throws -> SignedIn {
        let store = platform.peopleStore(connection)
        let now = try await KeyStore(connection).now()
        let id = platform.newID(at: now)
        try await store.insertSession(
            id,
            user: user,
            organization: organization,
            at: now,
            refreshUntil: now + SessionLimits.idle,
            expiresAt: now + SessionLimits.absolute
        )
        guard let session = try await store.session(id) else { throw Refusal.unauthenticated }
        try await note("session.begun", session, from: origin, store)
        return try await issue(session, at: now, connection)
    }

    /// Exchanges a refresh token for new tokens of its session.
    ///
    /// Each is good once. One that comes again ends the session: either whoever sends it or whoever sent it before is not its owner.
    ///
    /// - Throws: `Refusal.unauthenticated`.
    public func refresh(_ refreshToken: String, from origin: RequestOrigin) async throws -> SignedIn {
        guard let token = try? Token(refreshToken), token.parsed.workspaceRef.isRoot else {
            throw Refusal.unauthenticated
        }
        let digests = platform.secrets.peppers.digests(of: token)
        // Ending a session must be committed, so its refusal cannot be thrown from inside.
        let outcome: SignedIn? = try await platform.controlTransaction { connection in
            let store = platform.peopleStore(connection)
            guard let known = try await store.lockRefreshToken(digests) else { return nil }
            let now = try await KeyStore(connection).now()
            guard let session = try await store.session(known.session) else { return nil }
            if known.usedAt != nil {
                if try await store.endSession(session.id, .reused) {
                    try await note("session.reused", session, from: origin, store)
                    platform.logger.warning(
                        "a refresh token came twice; its session was ended",
                        metadata: ["user_id": "\(UUIDv7.text(of: session.user.id))"]
                    )
                }
                return nil
            }
            guard session.isAlive else { return nil }
            try await store.useRefreshToken(
                known.id,
                session: session.id,
                at: now,
                refreshUntil: min(now + SessionLimits.idle, session.expiresAt)
            )
            return try await issue(session, at: now, connection)
        }
        guard let outcome else { throw Refusal.unauthenticated }
        return outcome
    }

    /// Makes a session's next pair of tokens.
    private func issue(
        _ session: SessionRecord,
        at now: Timestamp,
        _ connection: PostgresConnection
    ) async throws -> SignedIn {
        guard let principal = Principal(session), let secret = platform.secrets.sessions.first else {
            throw Refusal.unauthenticated
        }
        let store = platform.peopleStore(connection)
        var randomness = platform.randomness
        let refresh = Token.make(prefix: .refresh, mode: .live, workspace: .root, using: &randomness)
        let digest = platform.secrets.peppers.digest(of: refresh)
        try await store.insertRefreshToken(digest, session: session.id, at: now)
        let workspace = try await platform.controlStore(connection).homeWorkspace(of: session.organizationID, among: principal.confinement)
        return SignedIn(
            user: session.user,
            sessionID: session.id,
            organizationID: session.organizationID,
            memberships: session.memberships,
            accessToken: AccessToken.make(
                session,
                workspace: workspace,
                id: platform.newID(at: now),
                at: now,
                secret
            ),
            refreshToken: refresh,
            expiresIn: Int(AccessToken.lifetime.components.seconds),
            expiresAt: now + AccessToken.lifetime,
            principal: principal
        )
    }

    /// Finds out whose session an access token is for, by one read: an ended session is refused at once.
    ///
    /// - Throws: `Refusal.unauthenticated`, and `unavailable` when nobody can tell.
    func authenticate(_ text: String) async throws -> Principal {
        guard let token = AccessToken.read(text, platform.secrets.sessions) else { throw Refusal.unauthenticated }
        let session = try await platform.lookup {
            lookups throws(PostgresError) in try await PeopleStore.session(token.sessionID, in: lookups)
        }
        guard let session, session.isAlive, session.user.id == token.userID, token.isGood(at: session.readAt),
            let principal = Principal(session)
        else { throw Refusal.unauthenticated }
        return principal
    }

    /// Ends the session of a member; there is nothing to end for a key.
    public func signOut(_ caller: Caller) async throws {
        guard let member = caller.principal.member, let organization = caller.principal.organizationID else { return }
        try await platform.controlTransaction { connection in
            let store = platform.peopleStore(connection)
            guard try await store.endSession(member.sessionID, .signedOut) else { return }
            try await store.note(
                "session.ended",
                organization: organization,
                changes: JSONValue.object([("session", .string(UUIDv7.text(of: member.sessionID)))]).text,
                by: caller.attribution
            )
        }
    }

    /// What a member may know about themself; `nil` for keys.
    public func me(_ principal: Principal) async throws -> Me? {
        guard let member = principal.member else { return nil }
        let session = try await platform.lookup {
            lookups throws(PostgresError) in try await PeopleStore.session(member.sessionID, in: lookups)
        }
        guard let session else { throw Refusal.unauthenticated }
        return Me(
            user: session.user,
            sessionID: session.id,
            organizationID: session.organizationID,
            memberships: session.memberships
        )
    }

    private func note(
        _ type: String,
        _ session: SessionRecord,
        from origin: RequestOrigin,
        _ store: PeopleStore
    ) async throws {
        try await store.note(
            type,
            organization: session.organizationID,
            changes: JSONValue.object([("session", .string(UUIDv7.text(of: session.id)))]).text,
            by: Attribution(
                actor: "member:\(UUIDv7.text(of: session.user.id))",
                address: origin.address?.description,
                requestID: origin.requestID
            )
        )
    }
}

extension Platform {
    /// Reads over the connection that all look-ups in the control database share.
    func lookup<T: Sendable>(_ body: (PostgresPipeline) async throws(PostgresError) -> T) async throws -> T {
        do throws(PostgresError) {
            return try await body(databases.control.lookups)
        } catch {
            guard error.isUnreachable else { throw error }
            logger.warning("the control database cannot be reached", metadata: ["error": "\(error)"])
            throw Refusal.unavailable
        }
    }
}
