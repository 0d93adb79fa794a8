import Connections
import FoundationEssentials
import GatewayAPI
import HTTPTestSupport
import Keys
import NIOCore
import Postgres
import Server
import ServerTestSupport
import Testing

/// A server with a listener for gateways on a free port.
func withGateway<T: Sendable>(
    _ addresses: [GatewayAddress] = [GatewayAddress(.tcp(host: "127.0.0.1", port: 0))],
    configure: (inout ServerConfiguration) -> Void = { _ in },
    _ body: (Gateway) async throws -> T
) async throws -> T {
    try await withMortise(configure: {
        $0.gateway.addresses = addresses
        configure(&$0)
    }) { mortise in
        let rows = try await mortise.rows(
            mortise.installation.control,
            "SELECT w.id, w.organization_id FROM control.workspaces w WHERE w.slug = 'default'"
        )
        let row = try #require(rows.first)
        return try await body(
            Gateway(
                mortise: mortise,
                address: try #require(mortise.gatewayAddresses.first),
                workspace: UUIDv7.text(of: try row.decode(0, as: UUID.self)),
                organization: UUIDv7.text(of: try row.decode(1, as: UUID.self))
            )
        )
    }
}

/// A server, and what a gateway's configuration knows of it.
struct Gateway: Sendable {
    let mortise: ServerHarness
    let address: SocketAddress
    let workspace: String
    let organization: String

    /// The path of a check of the default workspace.
    func path(_ options: String = "") -> String { "/v1/authorize/workspaces/\(workspace)\(options)/orders?id=1" }

    /// Asks once, on a connection of its own.
    func ask(
        _ token: String?,
        _ options: String = "",
        path: String? = nil,
        method: String = "GET",
        at address: SocketAddress? = nil,
        _ headers: String...
    ) async throws -> RawConnection.Answer {
        try await RawConnection.with(address ?? self.address) { connection in
            try await connection.send(request(token, options, path: path, method: method, headers))
            let answer = method == "HEAD" ? try await connection.head() : try await connection.answer()
            return try #require(answer)
        }
    }

    /// Returns the bytes of a request.
    func request(
        _ token: String?,
        _ options: String = "",
        path: String? = nil,
        method: String = "GET",
        _ headers: [String] = []
    ) -> String {
        let fields = (token.map { ["X-API-Key: \($0)"] } ?? []) + headers
        let lines = fields.map { "\($0)\r\n" }.joined()
        return "\(method) \(path ?? self.path(options)) HTTP/1.1\r\nHost: mortise\r\n\(lines)\r\n"
    }
}

extension RawConnection.Answer {
    /// The reason that a gateway reads.
    var reason: String? { self["x-mortise-reason"] }
}
