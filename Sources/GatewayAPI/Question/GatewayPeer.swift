package import Keys
package import Surfaces

/// The peer of the connection that a check came over, which decides whose statement about the client's address counts.
package enum GatewayPeer: Sendable, Hashable {
    /// The gateway, on a listener of its own.
    ///
    /// It is trusted, and it is never the client.
    case gateway
    /// A peer with an address, which is trusted if the settings say so.
    ///
    /// `nil` is a peer whose address is unknown.
    case connection(IPAddress?)

    /// Returns the client's address, or `nil` if it is unknown.
    ///
    /// - Parameters:
    ///   - headers: The headers of the request.
    ///   - header: The header that carries the address. `nil` means `X-Forwarded-For`.
    ///   - clients: The trusted proxies.
    /// - Returns: The address. An unknown address satisfies no key that is bound to addresses.
    package func client(
        _ headers: some RequestHeaders,
        in header: String?,
        _ clients: ClientAddresses
    ) -> IPAddress? {
        var own: IPAddress?
        if case .connection(let address) = self {
            guard let address else { return nil }
            guard clients.isTrusted(address) else { return address }
            own = address
        }
        guard let header else { return clients.client(in: headers.lines("X-Forwarded-For"), behind: own) }
        // The configuration names this header, so its absence is a fault and not a statement about the client.
        guard let line = headers.lines(header).last else { return nil }
        let entry = line.utf8.lastIndex(of: UInt8(ascii: ",")).map { line[line.utf8.index(after: $0)...] } ?? line[...]
        return ClientAddresses.forwarded(entry)
    }
}
