public import FoundationEssentials
import JSON
import KeyStore
public import Keys
public import People
import Postgres
public import Tenancy

/// The issuers of the sessions of organizations' own applications.
///
/// Only operators configure them: an organization that could name its own issuer would choose whose users it trusts.
public struct SessionIssuerService: Sendable {
    /// The algorithms that an issuer can use: only the holder of a private key can create their signatures.
    ///
    /// With a shared secret, a public key that was taken for the secret would sign anything.
    public static let algorithms = [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    ]
    /// The maximum difference between the clocks of an issuer and a node.
    static let clockSkew = Duration.seconds(5)

    let context: ServiceDependencies
    let access: AccessControl
    let changes: ControlChanges
    let keySets: KeySetCache

    // MARK: Authentication

    /// Authenticates a caller by a session token of an application.
    ///
    /// - Parameters:
    ///   - text: The token, a JWT.
    ///   - now: The time; by default the database's, so that a node whose clock is behind accepts no session that has expired.
    /// - Returns: A principal without permissions that reaches only its own client keys.
    /// - Throws: `Refusal.unauthenticated` for every token that is no good session of a configured issuer,
    ///   `unavailable` if the issuer's keys or the control database cannot be read.
    public func principal(for text: String, now: Timestamp? = nil) async throws -> Principal {
        guard let token = CompactJWS(text), let algorithm = token.algorithm, let keyID = token.keyID,
            Self.isSession(token), let claims = token.claims, let name = claims["iss"]?.string, Self.isIssuer(name)
        else { throw Refusal.unauthenticated }
        let found = try await context.readCaller { try await PeopleStore.sessionIssuer(name, in: $0) }
        guard let found else { throw Refusal.unauthenticated }
        let issuer = found.issuer
        guard issuer.algorithms.contains(algorithm) else { throw Refusal.unauthenticated }
        let keys = try await keySets.keys(of: issuer, for: keyID)
        guard await keys.verifies(token, algorithm: algorithm, keyID: keyID),
            Self.isTimely(claims, at: now ?? found.readAt), Self.isFor(issuer.authorizedParties, claims),
            Self.isMeant(for: issuer.audiences, claims),
            let session = ExternalSession(claims, issuer)
        else { throw Refusal.unauthenticated }
        return Principal(session)
    }

    /// Returns true if the token is good at an instant.
    ///
    /// A token without an expiry is refused, because nobody could revoke it.
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

    /// Returns true if the header calls the token a JWT, or nothing at all.
    ///
    /// An issuer signs other tokens with the same keys, such as `at+jwt` for access tokens (RFC 9068 section 2.1) and
    /// `logout+jwt`. None of them is a session.
    private static func isSession(_ token: CompactJWS) -> Bool {
        guard let type = token.header["typ"] else { return true }
        return type.string?.lowercased() == "jwt"
    }

    /// Returns true if the token is meant for Mortise.
    ///
    /// A token with an audience is for nobody else (RFC 7519 section 4.1.3).
    private static func isMeant(for audiences: [String], _ claims: JSONObject) -> Bool {
        guard let claim = claims["aud"] else { return audiences.isEmpty }
        let named = claim.string.map { [$0] } ?? claim.array?.compactMap(\.string) ?? []
        return named.contains { audiences.contains($0) }
    }

    /// The maximum length of an issuer's name in bytes.
    ///
    /// An entry of a B-tree index of PostgreSQL has less than a third of a page, 2704 bytes.
    public static let issuerLength = 2048

    private static func isIssuer(_ text: String) -> Bool {
        (1...issuerLength).contains(text.utf8.count) && !text.utf8.contains(0)
    }

    // MARK: Configuration

    /// Returns a page of an organization's session issuers, newest first.
    public func list(
        _ page: PageRequest,
        organization name: String,
        by caller: Caller
    ) async throws -> Page<SessionIssuer> {
        let organization = try await self.organization(name, caller)
        return try await context.readPeople { try await $0.sessionIssuers(page, of: organization) }
    }

    /// Returns a session issuer of an organization.
    ///
    /// - Throws: `Refusal.notFound`.
    public func get(_ id: UUID, organization name: String, by caller: Caller) async throws -> SessionIssuer {
        let organization = try await self.organization(name, caller)
        let found = try await context.readPeople { try await $0.sessionIssuer(id, organization: organization) }
        guard let found else { throw Refusal.notFound }
        return found
    }

    /// Starts trusting a session issuer.
    ///
    /// - Throws: `Refusal.invalid`; `conflict` if an organization has this issuer already; `idempotencyKeyReused`.
    public func add(
        _ new: NewSessionIssuer,
        organization name: String,
        by caller: Caller,
        answer: @Sendable (SessionIssuer) -> String
    ) async throws -> StoredAnswer {
        let organization = try await self.organization(name, caller)
        let faults = await Self.faults(new)
        guard faults.isEmpty else { throw Refusal.invalid(faults) }
        let new = new.withPublicKeysOnly
        return try await context.changeControl(.gives) { transaction in
            let people = context.people(in: transaction)
            return try await changes.createOnce(caller, in: transaction) { principal in
                try principal.requirePlatform(.platform)
                // Sessions create live keys.
                try principal.requireLive()
            } exists: { id in
                try await people.store.sessionIssuer(id, organization: organization) != nil
            } create: {
                let created = try await people.insertSessionIssuer(
                    new,
                    organization: organization,
                    by: caller.attribution
                )
                guard let created else { throw Refusal.conflict("An organization trusts this issuer already.") }
                return (created.id, answer(created))
            }
        }
    }

    /// Stops trusting a session issuer.
    public func remove(_ id: UUID, organization name: String, by caller: Caller) async throws {
        let organization = try await self.organization(name, caller)
        let isRemoved = try await context.changeControl { transaction in
            try await access.recheck(caller.principal, in: transaction).requirePlatform(.platform)
            return try await context.people(in: transaction)
                .deleteSessionIssuer(id, organization: organization, by: caller.attribution)
        }
        guard isRemoved else { throw Refusal.notFound }
        keySets.remove(id)
    }

    private func organization(_ name: String, _ caller: Caller) async throws -> UUID {
        try caller.principal.requirePlatform(.platform)
        return try await access.organization(name, for: caller.principal).id
    }

    private static func faults(_ new: NewSessionIssuer) async -> [InvalidField] {
        var faults: [InvalidField] = []
        func require(_ isGood: Bool, _ pointer: String, _ detail: String) {
            if !isGood { faults.append(InvalidField(pointer: pointer, detail: detail)) }
        }
        require(Self.isIssuer(new.issuer), "/issuer", "Must have 1 to \(Self.issuerLength) bytes and no NUL.")
        let isKnown = !new.algorithms.isEmpty && Set(new.algorithms).isSubset(of: Self.algorithms)
        require(isKnown, "/algorithms", "Must be one or more of \(Self.algorithms.joined(separator: ", ")).")
        for (pointer, texts) in [
            ("/authorized_parties", new.authorizedParties), ("/audiences", new.audiences),
            ("/read_roles", new.readRoles),
            ("/manage_roles", new.manageRoles),
        ] {
            let isGood = texts.count <= 100 && texts.allSatisfy(ExternalSession.isName)
            require(isGood, pointer, "Must be at most 100 texts, each with 1 to 255 characters and no NUL.")
        }
        switch new.keys {
        case .url(let text):
            require(Self.isFetchable(text), "/jwks_url", "Must be an https URL; http only to this machine.")
        case .file(let path):
            let isGood = path.hasPrefix("/") && path.utf8.count <= 4096 && !path.utf8.contains(0)
            require(isGood, "/jwks_file", "Must be an absolute path.")
        case .inline(let json):
            let bytes = Array(json.utf8)
            guard !KeySet.hasPrivateParts(bytes) else {
                require(
                    false,
                    "/jwks",
                    "Must hold only public keys. Whoever has seen this request can sign sessions: replace the keys."
                )
                break
            }
            let canVerify = await KeySet(bytes)?.canVerify(new.algorithms) ?? false
            require(
                canVerify,
                "/jwks",
                "Must be a JSON Web Key Set with a public key, with a kid of its own, for one of the algorithms."
            )
        }
        return faults
    }

    /// Returns true for an https URL, or for an http URL of this machine.
    ///
    /// Over plain HTTP, anybody could exchange the keys.
    private static func isFetchable(_ text: String) -> Bool {
        guard text.utf8.count <= 2048, !text.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7F }),
            let url = URL(string: text), let host = url.host(), !host.isEmpty, url.user == nil,
            TrustedURL.hasPort(in: text)
        else { return false }
        switch url.scheme {
        case "https": return true
        case "http": return ["127.0.0.1", "::1", "[::1]", "localhost"].contains(host)
        default: return false
        }
    }
}

extension NewSessionIssuer {
    /// The settings with the public parts of an inline key set alone.
    ///
    /// A key set can contain shared secrets, which no database needs to hold.
    fileprivate var withPublicKeysOnly: NewSessionIssuer {
        guard case .inline(let json) = keys else { return self }
        var copy = self
        copy.keys = .inline(KeySet.publicText(Array(json.utf8)))
        return copy
    }
}
