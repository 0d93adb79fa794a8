import Crypto

/// Tells a replay from another request under the same `Idempotency-Key`: SHA-256 over everything that decides the
/// answer.
public enum RequestFingerprint {
    /// The fingerprint of one request.
    ///
    /// - Parameters:
    ///   - principal: Who asks.
    ///   - method: The HTTP method.
    ///   - path: The path as the client sent it.
    ///   - workspace: The workspace that the request was resolved to, if any.
    ///   - query: The query as the client sent it, without the question mark.
    ///   - body: The bytes of the body.
    /// - Returns: What the database keeps a MAC of, ``IdempotencySecret/mac(of:)``, beside the nonce.
    public static func make(
        principal: String,
        method: String,
        path: String,
        workspace: WorkspaceRef?,
        query: String,
        body: [UInt8]
    ) -> Digest {
        var message = LengthPrefixed(purpose: "mortise request fingerprint")
        message.append(principal.utf8)
        message.append(method.utf8)
        message.append(path.utf8)
        message.append(workspace?.bytes ?? [])
        message.append(query.utf8)
        message.append(body)
        return Digest(SHA256.hash(data: message.bytes))
    }
}
