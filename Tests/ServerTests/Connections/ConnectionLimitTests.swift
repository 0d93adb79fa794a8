import Connections
import HTTPTestSupport
import Server
import ServerTestSupport
import TestSupport
import Testing

/// A client that holds a connection and does nothing with it gives it back.
@Suite(.hangLimit) struct ConnectionLimitTests {
    private static let short = Duration.milliseconds(200)

    // The attack: one client opens connections until nobody else gets one.
    @Test func `a connection beyond the limit takes the place of the one that has been idle longest`() async throws {
        try await withMortise(configure: {
            $0.connections.maximum = 3
            // One thread notes that a connection is idle before it begins with the next one.
            $0.eventLoops = 1
        }) { mortise in
            try await RawConnection.with(mortise.address) { oldest in
                try await oldest.get()
                #expect(try await oldest.answer()?.status == 200)
                try await RawConnection.with(mortise.address) { second in
                    try await second.get()
                    #expect(try await second.answer()?.status == 200)
                    // The oldest connection is no longer the one that has been idle longest.
                    try await oldest.get()
                    #expect(try await oldest.answer()?.status == 200)
                    try await RawConnection.with(mortise.address) { third in
                        try await third.get()
                        #expect(try await third.answer()?.status == 200)
                        try await RawConnection.with(mortise.address) { fourth in
                            try await fourth.get()
                            #expect(try await fourth.answer()?.status == 200)
                            #expect(try await second.rest() == "")
                            try await oldest.get()
                            #expect(try await oldest.answer()?.status == 200)
                        }
                    }
                }
            }
            let metrics = try await mortise.api.get("/metrics", as: nil).text
            #expect(metrics.contains(#"mortise_http_connections_closed_total{reason="room"}"#))
            #expect(!metrics.contains(#"mortise_http_connections_closed_total{reason="room"} 0"#))
        }
    }

    // The attack: 128 kB of each answer wait for a client that never reads.
    @Test func `a client that takes nothing of its answer is closed`() async throws {
        try await withMortise(configure: { $0.connections.answer = Self.short }) { mortise in
            try await RawConnection.with(mortise.address, receiveBuffer: 4096) { connection in
                let request = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
                try? await connection.send(String(repeating: request, count: 200))
                try await eventually("the client is given up") {
                    try await mortise.api.get("/metrics", as: nil).text
                        .contains(#"mortise_http_connections_closed_total{reason="answer"} 1"#)
                }
            }
        }
    }

    // The attack: an operation that reads no body answers at once, and the body goes on for ever.
    @Test func `a body that does not end in time ends its connection, read or not`() async throws {
        try await withMortise(configure: { $0.connections.body = Self.short }) { mortise in
            try await RawConnection.with(mortise.address) { connection in
                try await connection.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx")
                #expect(try await connection.answer()?.status == 200)
                #expect(try await connection.rest() == "")
            }
            try await RawConnection.with(mortise.address) { connection in
                try await connection.send(
                    """
                    POST /v1/verify HTTP/1.1\r
                    Host: localhost\r
                    Authorization: Bearer \(mortise.adminToken)\r
                    Content-Length: 100\r
                    \r
                    {
                    """
                )
                let answer = try #require(try await connection.answer())
                #expect(answer.status == 408)
                #expect(answer.isLast)
                #expect(try await connection.rest() == "")
            }
        }
    }

    @Test func `a head that does not end in time ends its connection`() async throws {
        try await withMortise(configure: { $0.connections.head = Self.short }) { mortise in
            try await RawConnection.with(mortise.address) { connection in
                try await connection.send("GET /healthz HTTP/1.1\r\nHost: localh")
                #expect(try await connection.rest() == "")
            }
        }
    }

    @Test func `an idle connection ends`() async throws {
        try await withMortise(configure: { $0.connections.idle = Self.short }) { mortise in
            try await RawConnection.with(mortise.address) { connection in
                try await connection.get()
                #expect(try await connection.answer()?.status == 200)
                #expect(try await connection.rest() == "")
            }
        }
    }
}
