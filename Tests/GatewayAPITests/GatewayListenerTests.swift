import Connections
import FoundationEssentials
import GatewayAPI
import HTTPTestSupport
import JSON
import NIOCore
import NIOPosix
import Server
import ServerTestSupport
import Surfaces
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The addresses of a gateway listener.
@Suite(.hangLimit) struct GatewayListenerTests {
    /// Runs `body` with the path of a file in a new folder.
    private func withPath(_ body: (String) async throws -> Void) async throws {
        let folder = "/tmp/mg-\(UInt32.random(in: .min ... .max))"
        try #require(mkdir(folder, 0o755) == 0)
        defer {
            _ = unlink("\(folder)/s")
            _ = rmdir(folder)
        }
        try await body("\(folder)/s")
    }

    /// Creates a socket that nobody listens on, as a program leaves it that is killed.
    private func leaveSocket(at path: String) throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0)
    }

    /// Returns the description of the error with which a server with an address ends.
    private func refusal(_ address: GatewayAddress) async throws -> String {
        do {
            try await withMortise(configure: { $0.gateway.addresses = [address] }) { _ in }
            return "none"
        } catch {
            return "\(error)"
        }
    }

    @Test func `a socket serves checks, lets owner and group connect, and is removed at the stop`() async throws {
        try await withPath { path in
            try leaveSocket(at: path)
            #expect(access(path, F_OK) == 0)
            try await withGateway([GatewayAddress(.unixSocket(path: path))]) { gateway in
                let key = try await gateway.mortise.makeKey("bound", ["allowed_ips": ["198.51.100.0/24"]])
                #expect(try await gateway.ask(key.token, "", "X-Forwarded-For: 198.51.100.7").status == 200)
                #expect(try await gateway.ask(key.token).reason == "wrong_address")
                var status = stat()
                #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o660)
            }
            #expect(access(path, F_OK) != 0)
        }
    }

    // The fault: a wrong path in the settings, and the start deletes a file.
    @Test func `a file that is no socket is left alone, and so is the socket of a running program`() async throws {
        try await withPath { path in
            let file = open(path, O_CREAT | O_WRONLY, 0o644)
            try #require(file >= 0 && write(file, "x", 1) == 1)
            close(file)
            let noSocket = try await refusal(GatewayAddress(.unixSocket(path: path)))
            #expect(noSocket.contains("a file that is not a socket"), "\(noSocket)")
            var status = stat()
            #expect(stat(path, &status) == 0 && status.st_size == 1)
            _ = unlink(path)
            let running = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .bind(unixDomainSocketPath: path).get()
            let inUse = try await refusal(GatewayAddress(.unixSocket(path: path)))
            #expect(inUse.contains("in use by a running program"), "\(inUse)")
            #expect(access(path, F_OK) == 0)
            try await running.close().get()
        }
    }

    // The fault: a listener that asks for no credential, on an address that strangers reach.
    @Test func `an address that other machines can reach is refused unless the settings allow it`() async throws {
        let address = GatewayAddress(.tcp(host: "0.0.0.0", port: 0))
        #expect(try await refusal(address).contains("neither a loopback address nor a socket"))
        try await withGateway([address], configure: { $0.gateway.isOpen = true }) { gateway in
            let port = try #require(gateway.address.port)
            let local = try SocketAddress(ipAddress: "127.0.0.1", port: port)
            #expect(try await gateway.ask(nil, path: "/healthz", at: local).status == 200)
        }
    }

    /// The header of version 2 of a proxy that connects for itself.
    private static let localHeader: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10, 0x20, 0, 0, 0]

    // The fault: a gateway tests with a wrong token if Mortise refuses it. It is taken for a client that guesses, and told to wait.
    @Test func `a gateway that speaks for itself by the PROXY protocol counts no failures`() async throws {
        let address = GatewayAddress(.tcp(host: "127.0.0.1", port: 0), hasProxyHeader: true)
        try await withGateway([address]) { gateway in
            try await RawConnection.with(gateway.address) { connection in
                let requests = String(repeating: gateway.request("guess"), count: 100)
                try await connection.send(ByteBuffer(bytes: Self.localHeader + Array(requests.utf8)))
                for _ in 0..<100 { #expect(try await connection.answer()?.reason == "malformed") }
            }
        }
    }

    @Test func `with the PROXY protocol, its address is the peer's, and only a trusted proxy names another`()
        async throws
    {
        let address = GatewayAddress(.tcp(host: "127.0.0.1", port: 0), hasProxyHeader: true)
        try await withGateway(
            [address, GatewayAddress(.tcp(host: "127.0.0.1", port: 0))],
            configure: {
                guard let clients = try? ClientAddresses(parsing: "10.0.0.0/8") else { return }
                $0.clients = clients
            }
        ) { gateway in
            let key = try await gateway.mortise.makeKey("bound", ["allowed_ips": ["198.51.100.0/24"]])
            let spoofed = gateway.request(key.token, "", ["X-Forwarded-For: 198.51.100.7"])
            let plain = gateway.request(key.token)
            let version2: [UInt8] =
                [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10, 0x21, 0x11, 0, 12]
                + [198, 51, 100, 1, 192, 0, 2, 1, 0, 1, 0, 2]
            let cases: [(String, String, Int)] = [
                ("PROXY TCP4 198.51.100.1 192.0.2.1 1 2\r\n", plain, 200),
                ("PROXY TCP4 203.0.113.1 192.0.2.1 1 2\r\n", plain, 403),
                ("PROXY TCP4 203.0.113.1 192.0.2.1 1 2\r\n", spoofed, 403),
                ("PROXY TCP4 10.0.0.1 192.0.2.1 1 2\r\n", spoofed, 200),
                ("PROXY UNKNOWN\r\n", spoofed, 403),
            ]
            for (header, request, status) in cases {
                try await RawConnection.with(gateway.address) { connection in
                    // The header can arrive apart from the request.
                    try await connection.send(header)
                    try await connection.send(request)
                    #expect(try await connection.answer()?.status == status, "\(header)")
                    try await connection.send(request)
                    #expect(try await connection.answer()?.status == status, "\(header)")
                }
            }
            try await RawConnection.with(gateway.address) { connection in
                try await connection.send(ByteBuffer(bytes: version2 + Array(plain.utf8)))
                #expect(try await connection.answer()?.status == 200)
            }
            // The gateway speaks for itself. Its own address is no client's.
            let bound = try await gateway.mortise.makeKey("local", ["allowed_ips": ["127.0.0.0/8"]])
            try await RawConnection.with(gateway.address) { connection in
                try await connection.send(ByteBuffer(bytes: Self.localHeader + Array(plain.utf8)))
                #expect(try await connection.answer()?.reason == "wrong_address")
                try await connection.send(gateway.request(bound.token, "", ["X-Forwarded-For: 127.0.0.1"]))
                #expect(try await connection.answer()?.reason == "wrong_address")
            }
            // A connection without the header is not answered, because its peer is not known.
            for _ in 0..<2 {
                try await RawConnection.with(gateway.address) { connection in
                    try await connection.send(plain)
                    #expect(try await connection.rest() == "")
                }
            }
            // The operator learns of it: from a metric each time, and from the log once a minute.
            let metrics = try await gateway.mortise.api.get("/metrics", as: nil).text
            #expect(metrics.contains("mortise_gateway_connections_closed_total{reason=\"fault\"} 2\n"))
            let lines = gateway.mortise.log.lines.filter {
                $0.message == "the configuration of a gateway is wrong"
            }
            #expect(lines.count == 1)
            #expect(
                try await gateway
                    .ask(key.token, at: gateway.mortise.gatewayAddresses[1], "X-Forwarded-For: 198.51.100.7").status
                    == 200
            )
        }
    }
}
