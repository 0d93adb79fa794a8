package import Connections
import Keys

/// An address that gateways connect to.
package struct GatewayAddress: Sendable, Hashable {
    /// The place.
    package let place: ListenerPlace
    /// True if each connection begins with the header of the PROXY protocol.
    package let hasProxyHeader: Bool

    /// Creates an address.
    package init(_ place: ListenerPlace, hasProxyHeader: Bool = false) {
        self.place = place
        self.hasProxyHeader = hasProxyHeader
    }

    /// Reads `HOST:PORT` or `unix:PATH`, each with `;proxy` behind it if connections begin with the header of the PROXY protocol.
    ///
    /// Returns `nil` for any other text. An IPv6 address stands in brackets.
    package init?(_ text: String) {
        let parts = text.split(separator: ";" as Character, maxSplits: 1, omittingEmptySubsequences: false)
            .map(String.init)
        guard parts.count == 1 || parts[1] == "proxy", let place = ListenerPlace(parts[0]) else { return nil }
        self.init(place, hasProxyHeader: parts.count == 2)
    }

    /// True if only programs on this machine can connect: a socket, a loopback address or `localhost`.
    package var isLocal: Bool {
        switch place {
        case .unixSocket: true
        case .tcp(let host, _): host == "localhost" || IPAddress(host)?.isLoopback == true
        }
    }
}

extension GatewayAddress: CustomStringConvertible {
    /// The text that `init(_:)` reads.
    package var description: String { "\(place)\(hasProxyHeader ? ";proxy" : "")" }
}

extension IPAddress {
    /// True for an address that reaches this machine alone (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3).
    var isLoopback: Bool {
        switch self {
        case .v4(let bits): bits >> 24 == 127
        case .v6(let bits): bits == 1
        }
    }
}

/// An error that says that a gateway listener cannot use an address.
package struct GatewayAddressFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// A sentence about the address, and the next step.
    package let description: String

    init(_ address: GatewayAddress, _ clause: String) {
        description = "The gateway address \(address) \(clause)"
    }

    /// The fault of an address that other machines can reach.
    static func notLocal(_ address: GatewayAddress) -> GatewayAddressFault {
        GatewayAddressFault(
            address,
            """
            is neither a loopback address nor a socket. Whoever can connect may ask about keys without a credential. Set \
            MORTISE_GATEWAY_OPEN=true if only gateways reach its network.
            """
        )
    }
}
