import FoundationEssentials
import JSON
import Keys

/// The claims of an ID token that was verified (OpenID Connect Core section 3.1.3.7).
struct IDToken: Sendable {
    /// The maximum difference between the clocks of the provider and a node, in seconds.
    static let clockSkew = 60.0
    /// The maximum length of a subject in bytes (OpenID Connect Core section 2).
    private static let subjectLength = 255

    /// The person, by a text that the issuer gives to nobody else.
    let subject: String
    /// The address, if the token has one.
    let email: ProviderEmail?

    /// The rule that a token broke.
    struct Fault: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    /// Verifies a token.
    ///
    /// - Parameters:
    ///   - token: The token.
    ///   - found: The provider's metadata and keys.
    ///   - provider: The issuer and the client.
    ///   - nonce: Returns true for the nonce of the sign-in.
    ///   - now: The time.
    /// - Throws: `Fault`.
    init(
        verifying token: CompactJWS,
        by found: ProviderDiscovery.Found,
        of provider: IdentityProvider,
        nonce: (String) -> Bool,
        at now: Timestamp
    ) async throws(Fault) {
        func require(_ isGood: Bool, _ rule: String) throws(Fault) {
            if !isGood { throw Fault(rule) }
        }
        // A token does not choose its algorithm: one with a shared secret, or none, is in no list of a provider here.
        guard let algorithm = token.algorithm, found.metadata.algorithms.contains(algorithm) else {
            throw Fault("its algorithm is not allowed")
        }
        let type = token.header["typ"].map { $0.string?.lowercased() ?? "" }
        try require(type == nil || type == "jwt", "it is a token of another type")
        try require(
            await found.keys.verifies(token, algorithm: algorithm),
            "its signature does not verify with the provider's keys"
        )
        guard let claims = token.claims else { throw Fault("its claims are not strict JSON") }
        try require(claims["iss"]?.string == provider.issuer, "iss is not the issuer")
        // Every member counts, also one that is no text: a reader that skips it would see fewer clients than the provider does.
        let audiences = claims["aud"].map { $0.array ?? [$0] } ?? []
        try require(audiences.contains { $0.string == provider.clientID }, "aud does not have the client")
        // A token for several must say for whom it was made, and that must be this client.
        try require(audiences.count == 1 || claims["azp"] != nil, "aud has several clients, and azp is absent")
        try require(claims["azp"].map { $0.string == provider.clientID } ?? true, "azp is another client")
        let seconds = Double(now.microsecondsSinceUnixEpoch) / 1_000_000
        let times = ["exp", "iat"].compactMap { claims[$0]?.number?.double }
        try require(times.count == 2, "exp or iat is absent")
        try require(seconds < times[0] + Self.clockSkew, "it has expired")
        try require(times[1] - Self.clockSkew <= seconds, "it is from the future")
        if let start = claims["nbf"] {
            try require(start.number?.double.map { $0 - Self.clockSkew <= seconds } ?? false, "it is not good yet")
        }
        try require(claims["nonce"]?.string.map(nonce) ?? false, "nonce is not that of the sign-in")
        guard let subject = claims["sub"]?.string, Self.isSubject(subject) else { throw Fault("sub is absent") }
        self.subject = subject
        email = ProviderEmail(claims)
    }

    private static func isSubject(_ text: String) -> Bool {
        (1...subjectLength).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }
}

/// The address that a provider tells of a person.
struct ProviderEmail: Sendable {
    /// The address as the provider wrote it.
    let text: String
    /// True if the provider says that the person controls the address: `email_verified` is true, and not a text or a number.
    let isVerified: Bool

    init?(_ claims: JSONObject) {
        guard let text = claims["email"]?.string, !text.isEmpty else { return nil }
        self.text = text
        isVerified = claims["email_verified"]?.bool == true
    }
}
