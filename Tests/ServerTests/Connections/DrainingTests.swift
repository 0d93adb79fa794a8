import Connections
import HTTPTestSupport
import NIOCore
import Server
import ServerTestSupport
import Synchronization
import TestSupport
import Testing

/// A client that trusts HTTP/1.1 sends its next request on a connection that no answer has called the last one.
@Suite(.hangLimit) struct DrainingTests {
    /// Returns a verification, byte for byte.
    private static func verification(of token: String, as credential: String) -> String {
        let body = #"{"token":"\#(token)"}"#
        return """
            POST /v1/verify HTTP/1.1\r
            Host: localhost\r
            Authorization: Bearer \(credential)\r
            Content-Type: application/json\r
            Content-Length: \(body.utf8.count)\r
            \r
            \(body)
            """
    }

    // The fault: a rolling restart under load, and each restart loses the requests that were on their way.
    @Test func `a server that stops under load loses no request of 128 busy connections`() async throws {
        let tally = BusyClients()
        try await withMortise(configure: { $0.connections.drainingIdle = .ample }) { mortise in
            let key = try await mortise.makeKey()
            let request = Self.verification(of: key.token, as: mortise.adminToken)
            let clients = (0..<128)
                .map { _ in
                    Task { [address = mortise.address] in
                        try await tally.run(request, to: address) { #expect($0.status == 200) }
                    }
                }
            try await eventually("every connection is busy") { tally.busy.load(ordering: .relaxed) == 128 }
            await mortise.stop()
            for client in clients { try await waiting(for: "a connection ends") { try await client.value } }
        }
        #expect(tally.lost.load(ordering: .relaxed) == 0)
        #expect(tally.announced.load(ordering: .relaxed) == 128)
    }

    @Test func `a request that was on its way when the server stopped is answered as the last one`() async throws {
        // A port that the server has freed can be another test's.
        try await TemporaryFolder.with { folder in
            try await withMortise(configure: {
                $0.listener = .unixSocket(path: "\(folder)/s")
                $0.connections.drainingIdle = .ample
            }) { mortise in
                try await RawConnection.with(mortise.address) { connection in
                    try await connection.get()
                    #expect(try await connection.answer()?.isLast == false)
                    await mortise.stop()
                    try await eventually("the server accepts no connection") {
                        (try? await RawConnection.with(mortise.address) { _ in }) == nil
                    }
                    try await connection.get()
                    let last = try #require(try await connection.answer())
                    #expect(last.status == 200)
                    #expect(last.isLast)
                    #expect(try await connection.rest() == "")
                }
            }
        }
    }

    @Test func `a connection without a request does not keep a server from stopping`() async throws {
        try await withMortise(configure: { $0.connections.drainingIdle = .milliseconds(50) }) { mortise in
            try await RawConnection.with(mortise.address) { connection in
                try await connection.get()
                _ = try await connection.answer()
                await mortise.stop()
                #expect(try await connection.rest() == "")
            }
        }
    }
}
