import Connections
import FoundationEssentials
import Glibc
import MortiseClient
import NIOCore
import NIOPosix

/// The server that the load tool drives, and the call that it makes.
struct BenchTarget: Sendable {
    let place: ListenerPlace
    let name: String
    let call: BenchCall

    init(place: ListenerPlace, name: String, call: BenchCall) {
        self.place = place
        self.name = name
        self.call = call
    }

    /// Creates the target of a server's URL.
    ///
    /// - Throws: `CommandFailure` of kind `usage` for a URL that is encrypted.
    init(_ server: ServerURL, _ kind: BenchCall.Kind) throws(CommandFailure) {
        guard !server.isEncrypted, let url = URL(string: server.text), let host = url.host() else {
            throw .usage("The load tool speaks plain HTTP. Name the server with an http:// URL, behind any proxy.")
        }
        var prefix = url.path()
        while prefix.hasSuffix("/") { prefix.removeLast() }
        name = server.text
        if url.scheme?.lowercased() == "http+unix" {
            place = .unixSocket(path: url.host(percentEncoded: false) ?? host)
            call = BenchCall(kind: kind, prefix: prefix, host: "localhost")
        } else {
            let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
            let port = url.port ?? 80
            place = .tcp(host: bare, port: port)
            call = BenchCall(kind: kind, prefix: prefix, host: ListenAddress(host: bare, port: port).description)
        }
    }

    /// Opens a connection for a moment.
    ///
    /// - Throws: `CommandFailure` of kind `unreachable` if the target cannot be reached.
    func check() async throws(CommandFailure) {
        let channel: any Channel
        do {
            channel = try await ClientBootstrap.forLoad(MultiThreadedEventLoopGroup.singleton).connect(to: place)
        } catch {
            throw failure(error)
        }
        // The listener may have closed it before.
        try? await channel.close()
    }

    /// Returns the failure for an error of a connection.
    func failure(_ error: any Error) -> CommandFailure {
        let errors = (error as? NIOConnectionError)?.connectionErrors.map(\.error) ?? [error]
        if errors.contains(where: { ($0 as? IOError)?.errnoCode == EMFILE }) {
            return CommandFailure(
                .refused,
                "The system lets this program open too few connections.",
                details: ["Use fewer --connections, or raise the limit with `ulimit -n`."]
            )
        }
        let fault = ConnectionFault(error)
        return CommandFailure(.unreachable, "\(name) \(fault.predicate)", details: advice(fault))
    }

    private func advice(_ fault: ConnectionFault) -> [String] {
        guard call.kind == .gateway else { return fault.advice(nil) }
        return [
            "Is `mortise serve` running there with --gateway-listen \(name)?",
            "Its log names the addresses on which it listens for gateways.",
        ]
    }
}

extension ClientBootstrap {
    /// Returns the way in which the load tool connects.
    static func forLoad(_ group: any EventLoopGroup) -> ClientBootstrap {
        ClientBootstrap(group: group)
            .channelOption(.socketOption(.so_reuseaddr), value: 1)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connectTimeout(.seconds(10))
    }

    /// Connects to a listener.
    func connect(to place: ListenerPlace) async throws -> any Channel {
        switch place {
        case .tcp(let host, let port): try await connect(host: host, port: port).get()
        case .unixSocket(let path): try await connect(unixDomainSocketPath: path).get()
        }
    }
}
