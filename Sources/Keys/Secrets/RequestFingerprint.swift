import Crypto

/// Tells a replay from another request with the same `Idempotency-Key`.
package enum RequestFingerprint {
    /// Returns the fingerprint of a request: SHA-256 of everything that decides the response.
    ///
    /// - Parameters:
    ///   - principal: The name of the caller.
    ///   - method: The HTTP method.
    ///   - path: The path as the client sent it.
    ///   - workspace: The workspace that the request was resolved to. `nil` if there is none.
    ///   - query: The query as the client sent it, without the question mark.
    ///   - body: The bytes of the body.
    /// - Returns: The fingerprint, whose ``IdempotencySecret/mac(of:)`` is stored beside the nonce.
    package static func make(
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
