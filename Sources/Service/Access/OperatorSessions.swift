import FoundationEssentials
import KeyStore
public import Keys
import Postgres
import Tenancy
import Verification

/// An operator's session in a browser, read from the database for one request.
public struct OperatorSession: Sendable {
    /// The principal: the operator key that began the session.
    public let principal: Principal
    /// The key's name.
    public let name: String
    /// The session's id.
    public let id: String
    /// The time of the request, by the database's clock.
    public let readAt: Timestamp
}

/// Operators' sessions in browsers.
///
/// A session has no row. Its cookie names an operator key and one secret of it, and each request reads the key: a session ends with the
/// key, the secret, or after four hours. The cookie has no token, and is no credential of the API.
public struct OperatorSessions: Sendable {
    let context: ServiceDependencies
    let access: AccessControl
    let signer: TextSigner

    /// The lifetime of a session.
    public static let lifetime = Duration.seconds(4 * 3600)

    /// Begins a session with the token of an operator key.
    ///
    /// - Parameters:
    ///   - token: The token.
    ///   - address: The client's address.
    /// - Returns: The value of the cookie.
    /// - Throws: `Refusal.unauthenticated` for every credential that is not a good operator key.
    public func begin(_ token: String, from address: IPAddress?) async throws -> String {
        let principal = try await access.authenticate(token, from: address)
        guard principal.reach == .platform, case .key(let key) = principal.identity else {
            throw Refusal.unauthenticated
        }
        let found = try await find(key.keyID)
        let parts = [
            UUIDv7.text(of: key.keyID), UUIDv7.text(of: key.secretID),
            String((found.readAt + Self.lifetime).microsecondsSinceUnixEpoch),
            String(context.randomness.next(), radix: 16),
        ]
        let text = parts.joined(separator: ".")
        return "\(text).\(signer.sign(text, for: "operator cookie"))"
    }

    /// Authenticates an operator by a cookie.
    ///
    /// Each request is a use of the key, of whose limits the session has no more.
    ///
    /// - Throws: `Refusal.unauthenticated` if the session, the key or the secret has ended, or the address is not one of the key's;
    ///   `limitReached` for a key that was used too often.
    public func authenticate(cookie: String, from address: IPAddress?) async throws -> OperatorSession {
        let parts = cookie.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5, let keyID = UUIDv7.parse(parts[0]), let secretID = UUIDv7.parse(parts[1]),
            let end = Int64(parts[2]),
            signer.verify(parts[4], of: parts[0..<4].joined(separator: "."), for: "operator cookie")
        else { throw Refusal.unauthenticated }
        let key = try await find(keyID)
        guard key.readAt.microsecondsSinceUnixEpoch < end, key.status.isUsable,
            let secret = key.secrets.first(where: { $0.id == secretID }),
            let permissions = PermissionSet(names: key.permissions), let bounds = KeyBounds(key, secret: secret),
            bounds.addresses.isEmpty || bounds.addresses.contains(where: { address.map($0.contains) ?? false })
        else { throw Refusal.unauthenticated }
        if !bounds.limits.isUnlimited {
            let limits = try await context.verifier.keys.root().limits
            if let limit = await limits.useWaiting(key.limitID ?? keyID, bounds.limits), !limit.isAllowed {
                throw Refusal.limitReached(limit)
            }
        }
        let principal = Principal(
            keyID: keyID,
            secretID: secretID,
            name: key.name,
            reach: .platform,
            permissions: permissions,
            bounds: bounds
        )
        return OperatorSession(
            principal: principal,
            name: key.name,
            id: parts[0..<4].joined(separator: "."),
            readAt: key.readAt
        )
    }

    /// Reads the key of a caller who has proved to be an operator, and who takes the turns of operators from here on.
    private func find(_ id: UUID) async throws -> KeyRecord {
        let key = try await PostgresFairness.with(owner: nil) {
            try await context.withConnection(to: nil) { try await KeyStore($0).find(id, in: .platform) }
        }
        guard let key else { throw Refusal.unauthenticated }
        return key
    }
}
