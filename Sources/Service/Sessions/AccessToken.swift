import FoundationEssentials
import JSON
import Keys
import People

/// A member's access token: a short-lived JWT (RFC 7519), signed by HS256 with a secret that no database holds.
///
/// Only its session, its user and its times are trusted. The other claims are for clients that show them.
struct AccessToken {
    /// The value of `iss` and `aud`.
    static let issuer = "mortise"
    /// The lifetime of a token.
    static let lifetime = Duration.seconds(900)

    /// The session.
    let sessionID: UUID
    /// The user.
    let userID: UUID
    /// The time from which the token is good, in seconds since 1970.
    let notBefore: Int64
    /// The time at which the token expires, in seconds since 1970.
    let expires: Int64

    /// Returns true if a text has the form of a JWT: three parts with dots between them.
    ///
    /// No token of a key contains a dot.
    static func isShaped(_ text: String) -> Bool {
        text.utf8.count { $0 == UInt8(ascii: ".") } == 2
    }

    /// Reads a token of this installation.
    ///
    /// The token does not choose the algorithm: any other than HS256 is refused, whatever the header says.
    ///
    /// - Returns: The token, or `nil` if it is malformed, has another signature, or is meant for something else. The
    ///   caller compares its times, because the caller has a clock.
    static func read(_ text: String, _ secrets: [SessionSecret]) -> AccessToken? {
        guard let jws = CompactJWS(text), jws.algorithm == "HS256", let id = jws.keyID,
            let secret = secrets.first(where: { $0.id.text == id }),
            let signature = Digest(bytes: jws.signature), signature == secret.signature(of: jws.signed),
            let claims = jws.claims, claims["iss"]?.string == Self.issuer, claims["aud"]?.string == Self.issuer,
            claims["token_type"]?.string == "access",
            let session = claims["session_id"]?.string.flatMap(UUIDv7.parse),
            let user = claims["sub"]?.string.flatMap(UUIDv7.parse),
            let notBefore = claims["nbf"]?.number?.int64, let expires = claims["exp"]?.number?.int64
        else { return nil }
        return AccessToken(sessionID: session, userID: user, notBefore: notBefore, expires: expires)
    }

    /// Returns true if the token is good at an instant.
    func isGood(at now: Timestamp) -> Bool {
        let seconds = now.microsecondsSinceUnixEpoch / 1_000_000
        return notBefore <= seconds && seconds < expires
    }

    /// Returns a new token for a session.
    static func make(
        _ session: SessionRecord,
        workspace: UUID?,
        id: UUID,
        at now: Timestamp,
        _ secret: SessionSecret
    ) -> String {
        let seconds = now.microsecondsSinceUnixEpoch / 1_000_000
        let wide = session.memberships.filter { $0.workspaceID == nil }.map(\.role)
        let local = session.memberships.filter { $0.workspaceID == nil || $0.workspaceID == workspace }.map(\.role)
        let user = UUIDv7.text(of: session.user.id)
        var claims: [(String, JSONValue)] = [
            ("user_id", .string(user)), ("email", .string(session.user.email)),
            ("role", .string(Self.role(session.memberships.map(\.role)))),
            ("session_id", .string(UUIDv7.text(of: session.id))), ("token_type", "access"),
        ]
        if let workspace {
            claims.append(("tenant_id", .string(UUIDv7.text(of: workspace))))
            claims.append(("tenant_role", .string(Self.role(local) == "admin" ? "tenant_admin" : "tenant_member")))
        }
        claims += [
            ("is_instance_admin", .bool(Self.role(wide) == "admin")), ("iss", .string(Self.issuer)),
            ("aud", .string(Self.issuer)), ("sub", .string(user)), ("jti", .string(UUIDv7.text(of: id))),
            ("iat", .integer(seconds)), ("nbf", .integer(seconds)),
            ("exp", .integer(seconds + Self.lifetime.components.seconds)),
        ]
        let header: JSONValue = ["alg": "HS256", "kid": .string(secret.id.text), "typ": "JWT"]
        let signed = [header, JSONValue.object(JSONObject(claims))].map { Base64URL.encode(Array($0.text.utf8)) }
            .joined(separator: ".")
        return signed + "." + Base64URL.encode(secret.signature(of: Array(signed.utf8)).bytes)
    }

    /// Returns the strongest role as clients show it.
    ///
    /// To them, owners are admins.
    static func role(_ roles: [MemberRole]) -> String {
        switch MemberRole.byStrength.first(where: roles.contains) {
        case .owner, .admin: "admin"
        case .auditor: "auditor"
        case .member: "member"
        case nil: "none"
        }
    }
}
