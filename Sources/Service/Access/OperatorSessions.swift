import FoundationEssentials
import KeyStore
public import Keys
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
        let found = try await find(key.secretID)
        let parts = [
            UUIDv7.text(of: key.keyID), UUIDv7.text(of: key.secretID),
            String((found.now + Self.lifetime).microsecondsSinceUnixEpoch),
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
        let reading = try await find(secretID)
        let key = reading.key
        guard key.state.keyID == keyID, key.state.kind == .operator,
            reading.now.microsecondsSinceUnixEpoch < end, AccessControl.isUsable(reading, from: address)
        else { throw Refusal.unauthenticated }
        let limits = key.state.rateLimits
        if !limits.isUnlimited {
            let uses = try await context.verifier.keys.root().limits
            if let limit = await uses.useWaiting(key.limitID, limits), !limit.isAllowed {
                throw Refusal.limitReached(limit)
            }
        }
        let principal = AccessControl.principal(key, .platform)
        return OperatorSession(
            principal: principal,
            name: key.name,
            id: parts[0..<4].joined(separator: "."),
            readAt: reading.now
        )
    }

    /// Reads the key that a secret belongs to.
    private func find(_ secret: UUID) async throws -> KeyReading {
        guard let reading = try await context.operatorKey(ofSecret: secret) else { throw Refusal.unauthenticated }
        return reading
    }
}
