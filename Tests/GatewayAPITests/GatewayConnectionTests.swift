import Connections
import GatewayAPI
import HTTPTestSupport
import NIOCore
import Server
import ServerTestSupport
import Synchronization
import TestSupport
import Testing

/// The connections of gateways, over real sockets.
@Suite(.hangLimit) struct GatewayConnectionTests {
    private static let short = Duration.milliseconds(200)

    // The fault: with several requests under way, a client gets the verdict of another one.
    @Test func `pipelined requests are answered in their order, however many arrive at once`() async throws {
        try await withGateway { gateway in
            let key = try await gateway.mortise.makeKey()
            let count = 500
            let paths = (0..<count).map { $0 % 3 == 0 ? "/healthz" : gateway.path($0 % 3 == 1 ? "" : ";mode=test") }
            let requests = paths.map { gateway.request(key.token, path: $0) }.joined()
            try await RawConnection.with(gateway.address) { connection in
                try await connection.send(requests)
                for index in 0..<count {
                    let answer = try #require(try await connection.answer(), "\(index)")
                    switch index % 3 {
                    case 0: #expect(answer.body == "ok\n", "\(index)")
                    case 1: #expect(answer["x-mortise-key-id"] == key.id, "\(index)")
                    default: #expect(answer.reason == "wrong_mode", "\(index)")
                    }
                }
            }
            // A client that says that it sends nothing more still gets all of its answers.
            try await RawConnection.with(gateway.address) { connection in
                try await connection.send(requests)
                connection.finish()
                var answered = 0
                while let answer = try await connection.answer() {
                    answered += 1
                    // The last answer can leave before the end of the input has arrived.
                    #expect(!answer.isLast || answered == count)
                }
                #expect(answered == count)
            }
        }
    }

    @Test func `an answer does not wait for a body, and the body is dropped`() async throws {
        try await withGateway { gateway in
            let key = try await gateway.mortise.makeKey()
            try await RawConnection.with(gateway.address) { connection in
                try await connection.send(gateway.request(key.token, method: "POST", ["Content-Length: 10"]))
                #expect(try await connection.answer()?.status == 200)
                try await connection.send("0123456789" + gateway.request(key.token))
                #expect(try await connection.answer()?.status == 200)
                try await connection.send(gateway.request(key.token, method: "POST", ["Transfer-Encoding: chunked"]))
                #expect(try await connection.answer()?.status == 200)
                try await connection.send("3\r\nabc\r\n0\r\n\r\n" + gateway.request("x"))
                #expect(try await connection.answer()?.reason == "malformed")
            }
            // A client that holds its body back may never send it, so nothing behind its head can be read.
            for expectation in ["100-continue", "100-Continue ", "100-continue, x"] {
                try await RawConnection.with(gateway.address) { connection in
                    let fields = ["Content-Length: 10", "Expect: \(expectation)"]
                    try await connection.send(gateway.request(key.token, method: "POST", fields))
                    let last = try #require(try await connection.answer())
                    #expect(last.status == 200 && last.isLast, "\(expectation)")
                    #expect(try await connection.rest() == "", "\(expectation)")
                }
            }
        }
    }

    @Test func `a large head is served up to its bounds, and refused beyond them`() async throws {
        try await withGateway { gateway in
            let key = try await gateway.mortise.makeKey()
            let base = "GET \(gateway.path()) HTTP/1.1".utf8.count
            let longest = gateway.path() + String(repeating: "x", count: 8192 - base)
            #expect(try await gateway.ask(key.token, path: longest).status == 200)
            let long = try await gateway.ask(key.token, path: longest + "x")
            #expect(long.status == 414)
            #expect(try await gateway.ask(key.token, "", "X: " + String(repeating: "x", count: 60_000)).status == 200)
            for size in [61_500, 80_000] {
                let large = try await gateway.ask(key.token, "", "X: " + String(repeating: "x", count: size))
                #expect(large.status == 431, "\(size)")
            }
            for (count, status) in [(990, 200), (1001, 431)] {
                let lines = Array(repeating: "X: x", count: count).joined(separator: "\r\n")
                #expect(try await gateway.ask(key.token, "", lines).status == status, "\(count)")
            }
            #expect(
                try await gateway.ask(key.token, path: longest, "X: " + String(repeating: "x", count: 60_000)).status
                    == 200
            )
        }
    }

    @Test func `a request that is not HTTP is refused after the answers before it`() async throws {
        try await withGateway { gateway in
            let key = try await gateway.mortise.makeKey()
            for fault in [
                "hello\r\n\r\n", "GET /healthz HTTP/1.1\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            ] {
                try await RawConnection.with(gateway.address) { connection in
                    try await connection.send(gateway.request(key.token) + fault)
                    #expect(try await connection.answer()?.status == 200, "\(fault)")
                    #expect(try await connection.answer()?.status == 400, "\(fault)")
                }
            }
            let old = "GET \(gateway.path()) HTTP/1.0\r\nX-API-Key: \(key.token)\r\n\r\n"
            try await RawConnection.with(gateway.address) { connection in
                try await connection.send(old)
                let answer = try #require(try await connection.answer())
                #expect(answer.status == 200 && answer.isLast)
                #expect(try await connection.rest() == "")
            }
        }
    }

    @Test func `the listener serves checks and its own health, and nothing else`() async throws {
        try await withGateway { gateway in
            let health = try await gateway.ask(nil, path: "/healthz")
            let readiness = try await gateway.ask(nil, path: "/readyz?x")
            #expect(health.body == "ok\n" && readiness.body == "ready\n")
            #expect(try await gateway.ask(nil, path: "/healthz", method: "POST").status == 405)
            for path in [
                "/metrics", "/v1/verify", "/openapi.json", "/v1/authorize", "/v1/workspaces/default/service-keys", "/",
                "/api/v1/tenants", "/healthz/",
            ] {
                #expect(try await gateway.ask(gateway.mortise.adminToken, path: path).status == 404, "\(path)")
            }
        }
    }

    // The attack: connections that send nothing, slowly send a head, or never end a body.
    @Test func `a connection that sends nothing in time is closed`() async throws {
        try await withGateway(configure: { $0.connections.head = Self.short }) { gateway in
            for start in ["", "GET /healthz HTTP/1.1\r\nHost: a\r\n"] {
                try await RawConnection.with(gateway.address) { connection in
                    if !start.isEmpty { try await connection.send(start) }
                    #expect(try await connection.rest() == "")
                }
            }
        }
        try await withGateway(configure: {
            $0.connections.idle = Self.short
            $0.connections.body = Self.short
        }) { gateway in
            try await RawConnection.with(gateway.address) { connection in
                try await connection.send(gateway.request(nil, path: "/healthz"))
                #expect(try await connection.answer()?.status == 200)
                #expect(try await connection.rest() == "")
            }
            try await RawConnection.with(gateway.address) { connection in
                try await connection.send(gateway.request(nil, path: "/healthz", method: "GET", ["Content-Length: 9"]))
                #expect(try await connection.answer()?.status == 200)
                #expect(try await connection.rest() == "")
            }
        }
    }

    @Test func `a connection beyond the limit takes the place of the one that has been idle longest`() async throws {
        try await withGateway(configure: { $0.connections.maximum = 2 }) { gateway in
            let ping = gateway.request(nil, path: "/healthz")
            try await RawConnection.with(gateway.address) { first in
                try await first.send(ping)
                #expect(try await first.answer()?.status == 200)
                try await RawConnection.with(gateway.address) { second in
                    try await second.send(ping)
                    #expect(try await second.answer()?.status == 200)
                    try await RawConnection.with(gateway.address) { third in
                        try await third.send(ping)
                        #expect(try await third.answer()?.status == 200)
                        #expect(try await first.rest() == "")
                    }
                }
            }
            let metrics = try await gateway.mortise.api.get("/metrics", as: nil).text
            #expect(metrics.contains(#"mortise_gateway_connections_closed_total{reason="room"} 1"#))
        }
    }

    // The fault: a rolling restart under load, and each restart loses the requests that were on their way.
    @Test func `a server that stops under load loses no request of 32 busy connections`() async throws {
        let tally = BusyClients()
        try await withGateway(configure: { $0.connections.drainingIdle = .ample }) { gateway in
            let key = try await gateway.mortise.makeKey()
            let (address, request) = (gateway.address, gateway.request(key.token))
            let clients = (0..<32)
                .map { _ in
                    Task { try await tally.run(request, to: address) { #expect($0.status == 200) } }
                }
            try await eventually("every connection is busy") { tally.busy.load(ordering: .relaxed) == 32 }
            await gateway.mortise.stop()
            for client in clients { try await waiting(for: "a connection ends") { try await client.value } }
        }
        #expect(tally.lost.load(ordering: .relaxed) == 0)
        #expect(tally.announced.load(ordering: .relaxed) == 32)
    }
}
