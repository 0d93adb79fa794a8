package import Keys
import NIOCore
package import NIOPosix

/// Resolves the names of receivers.
package struct HostResolver: Sendable {
    private let body: @Sendable (String) async throws -> IPAddress

    /// Creates a resolver from a function.
    package init(_ resolve: @escaping @Sendable (_ host: String) async throws -> IPAddress) {
        body = resolve
    }

    /// Returns the address of a host that is to be called.
    func callAsFunction(_ host: String) async throws -> IPAddress { try await body(host) }

    /// The system's resolver.
    ///
    /// A name server that does not answer keeps one of these threads for up to half a minute. There are more of them than
    /// attempts of a few organizations, and nothing else uses them.
    package static func system(_ threads: NIOThreadPool) -> HostResolver {
        HostResolver { host in
            try await threads.runIfActive {
                // The first address in the order of RFC 6724, which prefers addresses that this machine can reach.
                let address = try SocketAddress.makeAddressResolvingHost(host, port: 443)
                guard let found = address.ipAddress.flatMap({ IPAddress($0) }) else {
                    throw WebhookFault(AttemptFault.unknownHost.sentence)
                }
                return found
            }
        }
    }
}
