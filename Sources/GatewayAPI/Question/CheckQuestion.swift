package import Keys
package import Surfaces

/// The question of a gateway, if a token may be used for a request.
///
/// The question is read from a request without I/O. ``Authorizer`` answers it.
package struct CheckQuestion: Sendable, Hashable {
    /// The audience.
    package let audience: AudienceName
    /// The token of the client.
    package let token: PresentedToken
    /// The demands on the key.
    package let request: VerificationRequest
    /// The statuses that the gateway understands.
    package let statuses: RefusalStatuses

    /// Reads a question.
    ///
    /// - Parameters:
    ///   - path: The path of the request.
    ///   - headers: The headers of the request.
    ///   - peer: The peer of the connection.
    ///   - clients: The trusted proxies.
    package init(
        _ path: CheckPath,
        _ headers: some RequestHeaders,
        from peer: GatewayPeer,
        _ clients: ClientAddresses
    ) {
        let options = path.options
        audience = path.audience
        token = PresentedToken(headers, in: options.tokenHeaders)
        request = VerificationRequest(
            scopes: options.scopes,
            address: peer.client(headers, in: options.addressHeader, clients),
            mode: options.mode,
            namespace: options.namespace
        )
        statuses = options.statuses
    }
}
