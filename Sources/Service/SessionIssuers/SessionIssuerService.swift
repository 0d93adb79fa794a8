public import FoundationEssentials
import JSON
public import Keys
public import People
import Postgres
public import Tenancy

/// Who issues the sessions of organizations' own applications, and what such a session says.
///
/// Only operators configure them: an organization that could name its own would choose whose users it believes.
public struct SessionIssuerService: Sendable {
    /// The algorithms that can be accepted: signatures that only the holder of a private key makes.
    ///
    /// With a shared secret, a public key that is taken for one would sign anything.
    public static let algorithms = [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    ]
    /// How far the clocks of an issuer and a node may be apart.
    static let clockSkew = Duration.seconds(5)

    let platform: Platform

    init(_ platform: Platform) { self.platform = platform }

    // MARK: Believing

    /// Finds out who presents a session token of an application.
    ///
    /// - Parameters:
    ///   - text: the token, a JWT.
    ///   - now: the time; the node's clock by default.
    /// - Returns: a principal without permissions, which comes to its own client keys only.
    /// - Throws: `Refusal.unauthenticated` for everything that is not a good session of a configured issuer, `unavailable` when the
    ///   issuer's keys or the control database cannot be had.
    public func principal(for text: String, now: Timestamp? = nil) async throws -> Principal {
        guard let token = CompactJWS(text), let algorithm = token.algorithm, let keyID = token.keyID,
            let claims = token.claims, let name = claims["iss"]?.string, Self.isIssuer(name)
        else { throw Refusal.unauthenticated }
        let issuer = try await platform.lookup {
            lookups throws(PostgresError) in try await PeopleStore.sessionIssuer(name, in: lookups)
        }
        guard let issuer, issuer.algorithms.contains(algorithm) else { throw Refusal.unauthenticated }
        let keys = try await platform.keySets.keys(of: issuer, for: keyID)
        guard await keys.verifies(token, algorithm: algorithm, keyID: keyID),
            Self.isTimely(claims, at: now ?? platform.now()), Self.isFor(issuer.authorizedParties, claims),
            let session = ExternalSession(claims, issuer)
        else { throw Refusal.unauthenticated }
        return Principal(session)
    }

    /// A token without an end is refused: it would be a key that nobody can revoke.
    private static func isTimely(_ claims: JSONObject, at now: Timestamp) -> Bool {
        let skew = Double(Self.clockSkew.components.seconds)
        let seconds = Double(now.microsecondsSinceUnixEpoch) / 1_000_000
        guard let end = claims["exp"]?.number?.double, seconds < end + skew else { return false }
        guard let start = claims["nbf"] else { return true }
        return start.number?.double.map { $0 - skew <= seconds } ?? false
    }

    private static func isFor(_ parties: [String], _ claims: JSONObject) -> Bool {
        parties.isEmpty || (claims["azp"]?.string.map(parties.contains) ?? false)
    }

    /// The bytes that an issuer has at most: an entry of a B-tree index of PostgreSQL has less than a third of a page, 2704 bytes.
    public static let issuerLength = 2048

    private static func isIssuer(_ text: String) -> Bool {
        (1...issuerLength).contains(text.utf8.count) && !text.utf8.contains(0)
    }

    // MARK: Configuring

    /// One page of an organization's issuers, newest first.
    public func list(
        _ page: PageRequest,
        organization name: String,
        by caller: Caller
    ) async throws -> Page<SessionIssuer> {
        let organization = try await self.organization(name, caller)
        return try await platform.databases.control.pool.withConnection { connection in
            try await platform.peopleStore(connection).sessionIssuers(page, of: organization)
        }
    }

    /// Believes an issuer from now on.
    ///
    /// - Throws: `Refusal.invalid`; `conflict` for an issuer that some organization has already; `idempotencyKeyReused`.
    public func add(
        _ new: NewSessionIssuer,
        organization name: String,
        by caller: Caller,
        answer: @Sendable (SessionIssuer) -> String
    ) async throws -> StoredAnswer {
        let organization = try await self.organization(name, caller)
        let faults = Self.faults(new)
        guard faults.isEmpty else { throw Refusal.invalid(faults) }
        return try await platform.controlTransaction { connection in
            let store = platform.peopleStore(connection)
            return try await platform.once(caller, connection) { principal in
                try principal.requirePlatform(.platform)
            } isThere: { id in
                try await store.sessionIssuer(id, organization: organization) != nil
            } make: {
                let made = try await store.insertSessionIssuer(new, organization: organization, by: caller.attribution)
                guard let made else { throw Refusal.conflict("An organization has this issuer already.") }
                return (made.id, answer(made))
            }
        }
    }

    /// Believes an issuer no longer.
    public func remove(_ id: UUID, organization name: String, by caller: Caller) async throws {
        let organization = try await self.organization(name, caller)
        let isGone = try await platform.controlTransaction { connection in
            let store = platform.peopleStore(connection)
            try await platform.access.current(caller.principal, connection).requirePlatform(.platform)
            guard try await store.sessionIssuer(id, organization: organization) != nil else { return false }
            return try await store.deleteSessionIssuer(id, organization: organization, by: caller.attribution)
        }
        guard isGone else { throw Refusal.notFound }
        platform.keySets.forget(id)
    }

    private func organization(_ name: String, _ caller: Caller) async throws -> UUID {
        try caller.principal.requirePlatform(.platform)
        return try await platform.access.organization(name, for: caller.principal).id
    }

    private static func faults(_ new: NewSessionIssuer) -> [InvalidField] {
        var faults: [InvalidField] = []
        func require(_ isGood: Bool, _ pointer: String, _ detail: String) {
            if !isGood { faults.append(InvalidField(pointer: pointer, detail: detail)) }
        }
        require(Self.isIssuer(new.issuer), "/issuer", "Must have 1 to \(Self.issuerLength) bytes and no NUL.")
        let isKnown = !new.algorithms.isEmpty && Set(new.algorithms).isSubset(of: Self.algorithms)
        require(isKnown, "/algorithms", "Must be one or more of \(Self.algorithms.joined(separator: ", ")).")
        for (pointer, texts) in [
            ("/authorized_parties", new.authorizedParties), ("/read_roles", new.readRoles),
            ("/manage_roles", new.manageRoles),
        ] {
            let isGood = texts.count <= 100 && texts.allSatisfy(ExternalSession.isName)
            require(isGood, pointer, "Must be 100 texts at most, each of 1 to 255 characters and without NUL.")
        }
        switch new.keys {
        case .url(let text):
            require(Self.isFetchable(text), "/jwks_url", "Must be an https URL; http only to this machine.")
        case .file(let path):
            let isGood = path.hasPrefix("/") && path.utf8.count <= 4096 && !path.utf8.contains(0)
            require(isGood, "/jwks_file", "Must be an absolute path.")
        case .inline(let json):
            require(KeySet(Array(json.utf8)) != nil, "/jwks", "Must be a JSON Web Key Set with a key that can be used.")
        }
        return faults
    }

    /// Keys that came over plain HTTP could be anybody's.
    private static func isFetchable(_ text: String) -> Bool {
        guard text.utf8.count <= 2048, !text.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7F }),
            let url = URL(string: text), let host = url.host(), !host.isEmpty, url.user == nil
        else { return false }
        switch url.scheme {
        case "https": return true
        case "http": return ["127.0.0.1", "::1", "[::1]", "localhost"].contains(host)
        default: return false
        }
    }
}
