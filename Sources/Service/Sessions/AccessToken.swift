import FoundationEssentials
import JSON
import Keys
import People
import Tenancy

/// A member's access token: a short-lived JWT (RFC 7519), signed by HS256 with a secret that no database holds.
///
/// It says which session it is for and when it ends, and that alone is believed; the other claims are for clients that show them.
struct AccessToken {
    /// What `iss` and `aud` say.
    static let issuer = "mortise"
    /// How long a token is good.
    static let lifetime = Duration.seconds(900)

    /// The session.
    let sessionID: UUID
    /// The user.
    let userID: UUID
    /// From when it is good, in seconds since 1970.
    let notBefore: Int64
    /// When it ends, in seconds since 1970.
    let expires: Int64

    /// Whether a text can be a JWT: three parts with dots between.
    ///
    /// No token of a key has a dot.
    static func isShaped(_ text: String) -> Bool {
        text.utf8.count { $0 == UInt8(ascii: ".") } == 2
    }

    /// Reads a token of this installation.
    ///
    /// The algorithm is not the token's to choose: it is HS256 or it is refused, whatever the header says.
    ///
    /// - Returns: `nil` for a token that is malformed, signed by nobody here, or meant for something else. Whether its time has come or
    ///   gone is for the caller to see, who has a clock.
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

    /// Whether the token is good at a time.
    func isGood(at now: Timestamp) -> Bool {
        let seconds = now.microsecondsSinceUnixEpoch / 1_000_000
        return notBefore <= seconds && seconds < expires
    }

    /// Makes a token for a session.
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
        let signed = [header, JSONValue.object(claims)].map { Base64URL.encode(Array($0.text.utf8)) }
            .joined(separator: ".")
        return signed + "." + Base64URL.encode(secret.signature(of: Array(signed.utf8)).bytes)
    }

    /// The strongest role as clients show it: owners are admins to them.
    static func role(_ roles: [MemberRole]) -> String {
        switch MemberRole.byStrength.first(where: roles.contains) {
        case .owner, .admin: "admin"
        case .auditor: "auditor"
        case .member: "member"
        case nil: "none"
        }
    }
}
