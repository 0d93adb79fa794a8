public import FoundationEssentials
import KeyStore
public import Keys
import Logging
import People
import Postgres
import Tenancy

/// A member's session as a browser presents it, read from the database for one request.
public struct BrowserSession: Sendable {
    /// The principal of the session.
    public let principal: Principal
    /// The session.
    public let sessionID: UUID
    /// The organization that the session acts in.
    public let organizationID: UUID
    /// The user's address.
    public let email: String
    /// The user's name.
    public let name: String?
    /// The time of the request, by the database's clock.
    public let readAt: Timestamp
}

/// An organization in which a user has a role.
public struct OrganizationChoice: Sendable, Hashable {
    /// The organization.
    public let id: UUID
    /// The organization's name.
    public let name: String
}

/// Sessions in browsers: the same rows as those of programs, behind a cookie that is no credential of the API.
extension SessionService {
    /// Signs texts that a browser keeps.
    public var signer: TextSigner { TextSigner(context.secrets.sessions) }

    /// Begins a session with a password, for a browser.
    ///
    /// - Returns: The value of the cookie.
    /// - Throws: The errors of ``signIn(email:password:organization:from:)``.
    public func signInBrowser(email: String, password: String, from origin: RequestOrigin) async throws -> String {
        cookie(of: try await signIn(email: email, password: password, from: origin).sessionID)
    }

    /// The part of the idle time after which a use extends a session.
    ///
    /// A write for each request would be a waste.
    private static let extensionInterval = Duration.seconds(3600)

    /// The maximum time of an extension.
    private static let extensionPatience = Duration.seconds(1)

    /// Authenticates a member by a cookie, with one read: an ended session is refused at once.
    ///
    /// - Throws: `Refusal.unauthenticated`, and `directoryUnavailable` if the control database cannot be reached.
    public func authenticate(cookie: String) async throws -> BrowserSession {
        let parts = cookie.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let id = UUIDv7.parse(parts[0]),
            signer.verify(parts[1], of: parts[0], for: "session cookie")
        else { throw Refusal.unauthenticated }
        let session = try await context.readCaller { try await PeopleStore.session(id, in: $0) }
        guard let session, session.isAlive, let principal = Principal(session) else { throw Refusal.unauthenticated }
        try await extend(session)
        return BrowserSession(
            principal: principal,
            sessionID: id,
            organizationID: session.organizationID,
            email: session.user.email,
            name: session.user.name,
            readAt: session.readAt
        )
    }

    /// Extends a session that is used, as a refresh token does for a program.
    ///
    /// The session is good without it, and the next request tries again. A database that takes no changes, because its disk is full, must not
    /// keep anybody from looking at the console.
    ///
    /// - Throws: `CancellationError`.
    private func extend(_ session: SessionRecord) async throws {
        let end = min(session.readAt + SessionLimits.idle, session.expiresAt)
        guard end - session.refreshUntil >= Self.extensionInterval else { return }
        do {
            // The page needs the rest of its time.
            try await PostgresDeadline.with(Self.extensionPatience) {
                try await context.changeControl(.gives) { transaction in
                    try await context.people(in: transaction).extendSession(session.id, until: end)
                }
            }
        } catch {
            try Task.checkCancellation()
            context.logger.debug("a session could not be extended", metadata: ["error": "\(error)"])
        }
    }

    /// Returns the value of a session's cookie.
    func cookie(of session: UUID) -> String {
        let id = UUIDv7.text(of: session)
        return "\(id).\(signer.sign(id, for: "session cookie"))"
    }

    // MARK: Several organizations

    /// Returns the organizations in which the caller's user has a role, in the order of their names.
    ///
    /// - Throws: `Refusal.forbidden` for a key, which has no user; the database's errors.
    public func organizations(of principal: Principal) async throws -> [OrganizationChoice] {
        guard let member = principal.member else { throw Refusal.forbiddenKind("Only members have organizations.") }
        let ids = try await context.readPeople { try await $0.memberships(of: member.userID) }.map(\.organizationID)
        return try await context.readControl { store in
            var choices: [OrganizationChoice] = []
            for id in Set(ids) {
                if let found = try await store.organization(id) {
                    choices.append(OrganizationChoice(id: id, name: found.name))
                }
            }
            return choices.sorted { ($0.name, UUIDv7.text(of: $0.id)) < ($1.name, UUIDv7.text(of: $1.id)) }
        }
    }

    /// Ends a member's session, and begins one of the same user in another organization.
    ///
    /// The new session ends when the old one would have ended: nobody proved anew who they are.
    ///
    /// - Parameters:
    ///   - organization: The organization, in which the user has a role.
    ///   - caller: The caller, a member.
    ///   - origin: The request's origin.
    /// - Returns: The value of the new session's cookie.
    /// - Throws: `Refusal.notFound` for an organization without a role of the user, `unauthenticated` for a session that has ended.
    public func changeOrganization(
        to organization: UUID,
        by caller: Caller,
        from origin: RequestOrigin
    ) async throws -> String {
        guard let member = caller.principal.member, let old = caller.principal.organizationID else {
            throw Refusal.forbiddenKind("Only members have organizations.")
        }
        let begun = try await context.changeControl(.gives) { transaction in
            let people = context.people(in: transaction)
            guard let user = try await people.lockUser(member.userID), user.user.disabledAt == nil else {
                throw Refusal.unauthenticated
            }
            let memberships = try await people.store.memberships(of: member.userID)
            guard memberships.contains(where: { $0.organizationID == organization }) else { throw Refusal.notFound }
            guard let session = try await people.store.session(member.sessionID), session.isAlive,
                try await people.endSession(member.sessionID, .signedOut)
            else { throw Refusal.unauthenticated }
            try await people.record(
                .sessionEnded,
                session: member.sessionID,
                organization: old,
                by: caller.attribution
            )
            return try await begin(
                member.userID,
                organization: organization,
                until: session.expiresAt,
                from: origin,
                in: transaction
            )
        }
        return cookie(of: begun.sessionID)
    }
}
