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
    /// The outcomes of all connections.
    private final class Tally: Sendable {
        let answers = Atomic(0)
        let lost = Atomic(0)
        let announced = Atomic(0)
    }

    /// Sends verifications over one connection until an answer says that it is the last.
    private static func verify(_ token: String, _ credential: String, _ address: SocketAddress, _ tally: Tally)
        async throws
    {
        let body = #"{"token":"\#(token)"}"#
        let request = """
            POST /v1/verify HTTP/1.1\r
            Host: localhost\r
            Authorization: Bearer \(credential)\r
            Content-Type: application/json\r
            Content-Length: \(body.utf8.count)\r
            \r
            \(body)
            """
        try await RawConnection.with(address) { connection in
            while true {
                try await connection.send(request)
                guard let answer = try await connection.answer() else {
                    tally.lost.add(1, ordering: .relaxed)
                    return
                }
                #expect(answer.status == 200)
                tally.answers.add(1, ordering: .relaxed)
                guard answer.isLast else { continue }
                tally.announced.add(1, ordering: .relaxed)
                return
            }
        }
    }

    // The fault: a rolling restart under load, and each restart loses the requests that were on their way.
    @Test func `a server that stops under load loses no request of 128 busy connections`() async throws {
        let tally = Tally()
        try await withMortise(configure: { $0.connections.drainingIdle = .ample }) { mortise in
            let key = try await mortise.makeKey()
            let (token, credential, address) = (key.token, mortise.adminToken, mortise.address)
            let clients = (0..<128).map { _ in Task { try await Self.verify(token, credential, address, tally) } }
            try await eventually("every connection is busy") { tally.answers.load(ordering: .relaxed) > 1000 }
            await mortise.stop()
            for client in clients { try await waiting(for: "a connection ends") { try await client.value } }
        }
        #expect(tally.lost.load(ordering: .relaxed) == 0)
        #expect(tally.announced.load(ordering: .relaxed) == 128)
    }

    @Test func `a request that was on its way when the server stopped is answered as the last one`() async throws {
        try await withMortise(configure: { $0.connections.drainingIdle = .ample }) { mortise in
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
