import Connections
import GatewayAPI
import HTTPTestSupport
import NIOCore
import NIOHPACK
import NIOHTTP2
import Server
import ServerTestSupport
import TestSupport
import Testing

/// Connections that break the rules of HTTP/2, or that keep a server busy, over real sockets.
@Suite(.hangLimit) struct GRPCAttackTests {
    private static let short = Duration.milliseconds(200)

    private static let head = RawFrame.fields(HPACKHeaders.call().map { ($0.name, $0.value) })

    private static func headers(_ stream: Int, _ fields: [UInt8] = head) -> [UInt8] {
        RawFrame.bytes(1, flags: 4, stream: stream, fields)
    }

    /// The bytes that follow the start of a connection, by the name of the attack.
    private static let attacks: [(String, [UInt8])] = floods + faults

    private static let floods: [(String, [UInt8])] = {
        var attacks: [(String, [UInt8])] = []
        // CVE-2023-44487
        let reset: [UInt8] = [0, 0, 0, 8]
        let resets = RawFrame.repeated(5100) { headers(2 * $0 + 1) + RawFrame.bytes(3, stream: 2 * $0 + 1, reset) }
        attacks.append(("rapid reset", resets))
        // CVE-2024-27316
        let field = RawFrame.fields([("x", "y")])
        let continuations = RawFrame.repeated(20) { _ in RawFrame.bytes(9, stream: 1, field) }
        attacks.append(("CONTINUATION flood", RawFrame.bytes(1, stream: 1, head) + continuations))
        // CVE-2019-9515
        attacks.append(("SETTINGS flood", RawFrame.repeated(1100) { _ in RawFrame.bytes(4) }))
        // CVE-2019-9512
        let ping = RawFrame.bytes(6, Array(repeating: 0, count: 8))
        attacks.append(("PING flood", RawFrame.repeated(1100) { _ in ping }))
        // CVE-2019-9518
        let empty = RawFrame.repeated(50) { _ in RawFrame.bytes(0, stream: 1) }
        attacks.append(("empty DATA flood", headers(1) + empty))
        // 65,536 bytes are served.
        let long = RawFrame.fields([("x", String(repeating: "x", count: 16_000))])
        var large = RawFrame.bytes(1, stream: 1, head)
        for part in 1...5 { large += RawFrame.bytes(9, flags: part == 5 ? 4 : 0, stream: 1, long) }
        attacks.append(("a header list that is too large", large))
        return attacks
    }()

    private static let faults: [(String, [UInt8])] = [
        ("DATA before HEADERS", RawFrame.bytes(0, stream: 1, framed([]))),
        ("DATA on the connection", RawFrame.bytes(0, stream: 0, framed([]))),
        ("a stream of the server", headers(2)),
        ("a stream that goes back", headers(5) + headers(3)),
        ("HEADERS inside of another header block", RawFrame.bytes(1, stream: 1, head) + headers(3)),
        ("CONTINUATION alone", RawFrame.bytes(9, flags: 4, stream: 1, head)),
        ("a frame that is too large", RawFrame.bytes(0, stream: 1, Array(repeating: 0, count: 16_385))),
        ("a window of 0", RawFrame.bytes(8, [0, 0, 0, 0])),
        ("PUSH_PROMISE", RawFrame.bytes(5, flags: 4, stream: 1, [0, 0, 0, 2] + head)),
        ("HPACK that is cut short", headers(1, [0, 200])),
    ]

    // The fault: Envoy gives a check up after its timeout. Each one counted as an outage of the workspace, and the log blamed a database.
    @Test func `a check that the gateway cancels is no outage`() async throws {
        try await withRPC(configure: { $0.cacheBytes = 0 }) { gateway, address in
            let key = try await gateway.mortise.makeKey()
            let message = Protobuf.checkRequest([("workspace", gateway.workspace)], headers: [("x-api-key", key.token)])
            let checks = RawFrame.repeated(100) { number in
                let stream = 2 * number + 1
                return Self.headers(stream) + RawFrame.bytes(0, flags: 1, stream: stream, framed(message))
                    + RawFrame.bytes(3, stream: stream, [0, 0, 0, 8])
            }
            try await RawConnection.with(address) { connection in
                let ping = RawFrame.bytes(6, [UInt8](repeating: 1, count: 8))
                try await connection.send(ByteBuffer(bytes: RawFrame.start + checks + ping))
                _ = try await connection.bytes { RawFrame.heads($0).contains { $0.type == 6 && $0.flags & 1 != 0 } }
            }
            try await FrameConnection.with(address) { connection in
                let answer = try await connection.check(message)
                #expect(answer.isOK)
            }
            let metrics = try await gateway.mortise.api.get("/metrics", as: nil).text
            #expect(metrics.contains("mortise_gateway_answers_total{reason=\"workspace_unavailable\"} 0\n"))
            #expect(!gateway.mortise.log.text.contains("check failed"))
        }
    }

    @Test func `a connection that breaks the rules of HTTP/2 ends, and others go on`() async throws {
        try await withRPC { gateway, address in
            let key = try await gateway.mortise.makeKey()
            let good = Protobuf.checkRequest([("workspace", gateway.workspace)], headers: [("x-api-key", key.token)])
            try await FrameConnection.with(address) { other in
                for (name, bytes) in Self.attacks {
                    try await waiting(for: name) {
                        try await RawConnection.with(address) { connection in
                            // The server can end the connection before it has read all.
                            try? await connection.send(ByteBuffer(bytes: RawFrame.start + bytes))
                            _ = try await connection.rest()
                        }
                    }
                    #expect(try await other.check(good).isOK, "\(name)")
                }
            }
            for start in ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "\u{16}\u{3}\u{1}"] {
                try await RawConnection.with(address) { connection in
                    try await connection.send(start)
                    connection.finish()
                    _ = try await connection.rest()
                }
            }
            #expect(try await Self.closedForFaults(gateway) >= Self.attacks.count)
        }
    }

    /// Returns the number of connections that the server has ended for a fault.
    private static func closedForFaults(_ gateway: Gateway) async throws -> Int {
        let metrics = try await gateway.mortise.api.get("/metrics", as: nil).text
        let line = #"mortise_gateway_connections_closed_total{reason="fault"} "#
        let count = metrics.split(separator: "\n").first { $0.hasPrefix(line) }?.dropFirst(line.count)
        return count.flatMap { Double($0) }.map { Int($0) } ?? 0
    }

    @Test func `a malformed request ends its stream, and the connection goes on`() async throws {
        try await withRPC { gateway, address in
            let key = try await gateway.mortise.makeKey()
            let good = Protobuf.checkRequest([("workspace", gateway.workspace)], headers: [("x-api-key", key.token)])
            var missing = HPACKHeaders.call()
            missing.remove(name: ":path")
            let malformed: [HPACKHeaders] = [
                missing, .call(checkMethod, (":path", "/")), .call(checkMethod, (":unknown", "x")),
                .call(checkMethod, ("X-Upper", "x")), .call(checkMethod, ("connection", "close")),
                .call(checkMethod, ("content-length", "1")),
            ]
            try await FrameConnection.with(address) { connection in
                for headers in malformed {
                    let answer = try #require(try await connection.end(framed(good), headers))
                    #expect(answer.reset == .protocolError, "\(headers): \(answer)")
                    #expect(try await connection.check(good).isOK)
                }
            }
        }
    }

    /// Sends frames behind the start of a connection in one write, and returns the heads of the frames until the server has answered all.
    private static func exchange(_ address: SocketAddress, _ frames: [UInt8]) async throws -> [RawFrame.Head] {
        // Room for all answers.
        let window = RawFrame.bytes(8, [0, 255, 255, 255])
        return try await RawConnection.with(address) { connection in
            // The server can end the connection before it has read all.
            try? await connection.send(ByteBuffer(bytes: RawFrame.start + window + frames))
            connection.finish()
            return RawFrame.heads(try await connection.restBytes())
        }
    }

    // The fault: a gateway that has just connected sends all checks that have waited, before it has seen the settings. The connection
    // ended with the 101st of them, and the gateway let in everybody whose check was lost, if its configuration says so.
    @Test(arguments: [101, 300, 1000])
    func `all checks that a gateway sends before it has seen the settings are answered`(count: Int) async throws {
        try await withRPC { gateway, address in
            let key = try await gateway.mortise.makeKey()
            let good = Protobuf.checkRequest([("workspace", gateway.workspace)], headers: [("x-api-key", key.token)])
            let heads = try await Self.exchange(
                address,
                RawFrame.repeated(count) {
                    Self.headers(2 * $0 + 1) + RawFrame.bytes(0, flags: 1, stream: 2 * $0 + 1, framed(good))
                }
            )
            #expect(heads.count { $0.type == 1 && $0.flags & 1 != 0 } == count)
            #expect(heads.allSatisfy { $0.type != 3 && $0.type != 7 }, "\(heads)")
        }
    }

    // RFC 9113 section 5.1.2: a stream above the limit is an error of the stream, and not of the connection.
    @Test func `a stream above four times the announced number is refused alone`() async throws {
        // Streams that end make room for others.
        try await withRPC(configure: { $0.connections.body = .ample }) { _, address in
            try await RawConnection.with(address) { connection in
                let frames = RawFrame.repeated(1030) { Self.headers(2 * $0 + 1) }
                try await connection.send(ByteBuffer(bytes: RawFrame.start + frames))
                let bytes = try await connection.bytes { RawFrame.heads($0).count { $0.type == 3 } >= 6 }
                let heads = RawFrame.heads(bytes)
                let resets = heads.filter { $0.type == 3 }
                #expect(resets.map(\.stream) == (1024..<1030).map { 2 * $0 + 1 })
                #expect(resets.allSatisfy { $0.code == HTTP2ErrorCode.refusedStream.networkCode })
                #expect(heads.allSatisfy { $0.type != 7 })
                // The connection still answers, and none of the other streams has ended.
                try await connection.send(ByteBuffer(bytes: RawFrame.bytes(6, [UInt8](repeating: 1, count: 8))))
                let isPong: (RawFrame.Head) -> Bool = { $0.type == 6 && $0.flags & 1 != 0 }
                let later = RawFrame.heads(try await connection.bytes { RawFrame.heads($0).contains(where: isPong) })
                #expect(later.contains(where: isPong) && later.allSatisfy { $0.type != 3 && $0.type != 7 }, "\(later)")
                // The server stops when they have ended.
                let ends = RawFrame.repeated(1024) { RawFrame.bytes(3, stream: 2 * $0 + 1, [0, 0, 0, 8]) }
                try? await connection.send(ByteBuffer(bytes: ends))
            }
        }
    }

    // The attack: streams without end, which the client never ends.
    @Test func `a connection ends when too many of its streams were refused`() async throws {
        try await withRPC(configure: { $0.connections.body = .ample }) { gateway, address in
            let closed = try await Self.closedForFaults(gateway)
            try await RawConnection.with(address) { connection in
                let isReset: (RawFrame.Head) -> Bool = { $0.type == 3 }
                let frames = RawFrame.repeated(1024 + 5000) { Self.headers(2 * $0 + 1) }
                try await connection.send(ByteBuffer(bytes: RawFrame.start + frames))
                let bytes = try await connection.bytes { RawFrame.heads($0).count(where: isReset) >= 5000 }
                let heads = RawFrame.heads(bytes)
                #expect(heads.filter(isReset).map(\.stream) == (1024..<6024).map { 2 * $0 + 1 })
                #expect(heads.allSatisfy { $0.type != 7 })
                #expect(try await Self.closedForFaults(gateway) == closed)
                // One more than are refused.
                try await connection.send(ByteBuffer(bytes: Self.headers(2 * 6024 + 1)))
                let rest = RawFrame.heads(try await connection.restBytes())
                #expect(!rest.contains(where: isReset), "\(rest)")
            }
            #expect(try await Self.closedForFaults(gateway) == closed + 1)
        }
    }

    // The attack: connections and calls that begin and never end, or that take no answer.
    @Test func `a call that does not arrive or is not taken in time ends, and so does a silent connection`()
        async throws
    {
        try await withRPC(configure: { $0.connections.head = Self.short }) { _, address in
            for start in [
                [], Array("PRI * HT".utf8), RawFrame.start, RawFrame.start + RawFrame.bytes(1, stream: 1, []),
            ] {
                try await RawConnection.with(address) { connection in
                    if !start.isEmpty { try await connection.send(ByteBuffer(bytes: start)) }
                    _ = try await connection.rest()
                }
            }
        }
        try await withRPC(configure: { $0.connections.body = Self.short }) { gateway, address in
            try await FrameConnection.with(address) { connection in
                let slow = try await connection.open(.call(), framed([], length: 100), endStream: false)
                #expect(try await connection.answer(slow)?.reset == .cancel)
                let refused = Protobuf.checkRequest([("workspace", gateway.workspace)])
                #expect(try await connection.check(refused).reason == "no_token")
            }
        }
        try await withRPC(configure: { $0.connections.answer = Self.short }) { gateway, address in
            // A client that lets the server send nothing.
            let settings = [HTTP2Setting(parameter: .initialWindowSize, value: 0)]
            try await FrameConnection.with(address, settings: settings) { connection in
                let id = try await connection.begin(Protobuf.checkRequest([("workspace", gateway.workspace)]))
                #expect(try await connection.answer(id)?.reset == .cancel)
            }
        }
        try await withRPC(configure: { $0.connections.idle = Self.short }) { gateway, address in
            try await FrameConnection.with(address) { connection in
                let request = Protobuf.checkRequest([("workspace", gateway.workspace)])
                let id = try await connection.begin(request)
                #expect(try await connection.response(id).reason == "no_token")
                try await connection.rest()
                // The server has said that it ends, and which stream was the last.
                #expect(connection.goAways == [.maxID, id])
            }
        }
    }

    @Test func `a connection beyond the limit takes the place of the one that has been idle longest`() async throws {
        try await withRPC(configure: { $0.connections.maximum = 2 }) { gateway, address in
            let request = Protobuf.checkRequest([("workspace", gateway.workspace)])
            try await FrameConnection.with(address) { first in
                #expect(try await first.check(request).reason == "no_token")
                try await FrameConnection.with(address) { second in
                    #expect(try await second.check(request).reason == "no_token")
                    try await FrameConnection.with(address) { third in
                        #expect(try await third.check(request).reason == "no_token")
                        try await first.rest()
                    }
                }
            }
        }
    }

    // The fault: a rolling restart under load, and each restart loses the checks that were on their way.
    @Test func `a server that stops under load loses no check of 16 busy connections`() async throws {
        let (answered, lost) = (Tally(), Tally())
        try await withRPC(configure: { $0.connections.drainingIdle = .ample }) { gateway, address in
            let key = try await gateway.mortise.makeKey()
            let request = Protobuf.checkRequest([("workspace", gateway.workspace)], headers: [("x-api-key", key.token)])
            let clients = (0..<16)
                .map { _ in
                    Task {
                        try await FrameConnection.with(address) { connection in
                            // A client opens no stream after the first GOAWAY.
                            var isOpen = true
                            while isOpen, connection.goAways.isEmpty {
                                var ids: [HTTP2StreamID] = []
                                for _ in 0..<8 where isOpen {
                                    // A connection that has ended sends nothing, so nothing is lost.
                                    let id = try? await connection.begin(request)
                                    if let id { ids.append(id) } else { isOpen = false }
                                }
                                for id in ids {
                                    let answer = try await connection.answer(id)
                                    if answer?["grpc-status"] == "0" {
                                        answered.add()
                                    } else if answer?.isUnsent != true {
                                        lost.add()
                                    }
                                }
                            }
                            try await connection.rest()
                            #expect(connection.goAways.first == .maxID && connection.goAways.count == 2)
                        }
                    }
                }
            try await eventually("every connection is busy") { answered.count > 500 }
            await gateway.mortise.stop()
            for client in clients { try await waiting(for: "a connection ends") { try await client.value } }
        }
        #expect(lost.count == 0)
    }
}
