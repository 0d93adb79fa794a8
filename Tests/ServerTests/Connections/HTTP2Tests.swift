import Connections
import HTTPTestSupport
import JSON
import NIOCore
import NIOHPACK
import NIOHTTP2
import Server
import ServerTestSupport
import TestSupport
import Testing

/// HTTP/2 on the listener with TLS: the same answers, limits and deadlines as HTTP/1.1.
@Suite(.hangLimit) struct HTTP2Tests {
    private static let short = Duration.milliseconds(200)

    private func connect<T>(
        _ mortise: ServerHarness,
        settings: HTTP2Settings = FrameConnection.settings,
        _ body: (inout FrameConnection) async throws -> T
    ) async throws -> T {
        try await FrameConnection.with(mortise.address, settings: settings, prepare: TLSClient("h2").prepare, body)
    }

    @Test func `streams that run at once get their own answers, with bodies of any size`() async throws {
        try await withTLS { mortise, _ in
            try await connect(mortise) { connection in
                var ids: [HTTP2StreamID] = []
                for index in 0..<90 {
                    let post = HPACKHeaders.post("/v1/verify", as: mortise.adminToken)
                    let body = Array(#"{"token":"\#(index % 2 == 0 ? "x" : mortise.adminToken)"}"#.utf8)
                    let isWhole = index % 3 != 0
                    let id = try await connection.open(post, isWhole ? body : [], endStream: isWhole)
                    // A body can arrive in pieces.
                    if !isWhole {
                        for byte in body { try await connection.send(id, [byte], endStream: false) }
                        try await connection.send(id, [])
                    }
                    ids.append(id)
                }
                for (index, id) in ids.enumerated() {
                    let answer = try #require(try await connection.answer(id))
                    let json = try JSONValue(parsing: answer.text.utf8)
                    let code = index % 2 == 0 ? "malformed" : "not_found"
                    #expect(answer.status == 200 && json["code"]?.string == code, "\(index): \(answer)")
                    #expect(answer["connection"] == nil && answer["date"] != nil)
                    #expect(answer["content-length"] == "\(answer.body.readableBytes)")
                }
                // Larger than the window.
                let document = try await connection.open(.get("/openapi.json"))
                let answer = try #require(try await connection.answer(document))
                #expect(answer.status == 200 && answer.body.readableBytes > 65_535)
                var head = HPACKHeaders.get("/healthz")
                head.replaceOrAdd(name: ":method", value: "HEAD")
                let empty = try await connection.open(head)
                let health = try #require(try await connection.answer(empty))
                #expect(health.status == 200 && health.body.readableBytes == 0)
            }
        }
    }

    @Test func `a request that is not one is refused like that of HTTP/1.1, and its connection goes on`() async throws {
        try await withTLS { mortise, _ in
            var missing = HPACKHeaders.get("/healthz")
            missing.remove(name: ":path")
            var twice = HPACKHeaders.get("/healthz")
            twice.add(name: ":path", value: "/readyz")
            let resets: [HPACKHeaders] = [
                missing, twice, .get("/healthz", (":status", "200")), .get("/healthz", ("X-Upper", "x")),
                .get("/healthz", ("connection", "close")), .get("/healthz", ("transfer-encoding", "chunked")),
            ]
            let many = (0..<250).map { ("x-\($0)", "x") }
            var absolute = HPACKHeaders.get("/healthz")
            absolute.replaceOrAdd(name: ":path", value: "http://other/healthz")
            let refused: [(headers: HPACKHeaders, status: Int)] = [
                (absolute, 400), (.get("/healthz", ("host", "other")), 400),
                (HPACKHeaders(HPACKHeaders.get("/healthz").map { ($0.name, $0.value) } + many), 431),
            ]
            try await connect(mortise) { connection in
                for headers in resets {
                    let id = try await connection.open(headers)
                    #expect(try await connection.answer(id)?.reset == .protocolError, "\(headers)")
                }
                for (headers, status) in refused {
                    let id = try await connection.open(headers)
                    #expect(try await connection.answer(id)?.status == status, "\(headers)")
                }
                let id = try await connection.open(.get("/healthz", ("cookie", "a=1"), ("cookie", "b=2")))
                #expect(try await connection.answer(id)?.status == 200)
            }
        }
    }

    @Test func `a body that is too large or late is answered before its end, and the rest is not awaited`() async throws
    {
        func answers(_ status: Int, _ fields: (String, String)..., to mortise: ServerHarness) async throws {
            try await connect(mortise) { connection in
                var post = HPACKHeaders.post("/v1/verify", as: mortise.adminToken)
                for (name, value) in fields { post.add(name: name, value: value) }
                let unfinished = try await connection.open(post, Array("{".utf8), endStream: false)
                #expect(try await connection.answer(unfinished)?.status == status)
                let id = try await connection.open(.get("/healthz"))
                #expect(try await connection.answer(id)?.status == 200)
            }
        }
        try await withTLS(configure: { $0.connections.body = Self.short }) { mortise, _ in
            try await answers(408, to: mortise)
        }
        try await withTLS { mortise, _ in
            try await answers(413, ("content-length", "100000000"), to: mortise)
        }
    }

    /// Creates a client key.
    private func makeKey(
        _ connection: inout FrameConnection,
        as admin: String,
        _ body: JSONValue
    ) async throws -> (id: String, token: String) {
        let post = HPACKHeaders.post("/v1/workspaces/default/client-keys", as: admin)
        let stream = try await connection.open(post, Array(body.text.utf8))
        let answer = try #require(try await connection.answer(stream))
        let json = try JSONValue(parsing: answer.text.utf8)
        return (try #require(json["key"]?["id"]?.string, "\(answer)"), try #require(json["token"]?.string))
    }

    // The attack: a key whose identity is longer than a frame. The other clients of its gateway get the fields of other answers.
    @Test func `an answer whose head is longer than a frame ends its stream alone, and others have their own fields`()
        async throws
    {
        try await withTLS { mortise, _ in
            let admin = mortise.adminToken
            // The letters have codes of eight bits.
            let scopes = (0..<100)
                .map { index -> JSONValue in
                    let bits = (0..<7).map { index >> $0 & 1 == 0 ? "X" : "Z" }.joined()
                    return .string(String(repeating: "X", count: 64) + ":" + bits + String(repeating: "X", count: 57))
                }
            let text = JSONValue.string(String(repeating: "\u{1F600}", count: 255))
            func check(_ token: String) -> HPACKHeaders {
                .get("/v1/authorize/organizations/default/", ("x-mortise-key", admin), ("x-api-key", token))
            }
            try await connect(mortise) { connection in
                let long = try await makeKey(
                    &connection,
                    as: admin,
                    ["name": text, "subject": text, "scopes": .array(scopes)]
                )
                let first = try await makeKey(&connection, as: admin, ["name": "a", "subject": "user_a"])
                let second = try await makeKey(&connection, as: admin, ["name": "b", "subject": "user_b"])
                for _ in 0..<3 {
                    for (key, subject) in [(first, "user_a"), (second, "user_b")] {
                        let id = try await connection.open(check(key.token))
                        let answer = try #require(try await connection.answer(id))
                        #expect(answer.status == 200 && answer["x-mortise-key-id"] == key.id, "\(answer)")
                        #expect(answer["x-mortise-subject"] == subject, "\(answer)")
                    }
                    let id = try await connection.open(check(long.token))
                    #expect(try await connection.answer(id)?.reset == .internalError)
                }
            }
        }
    }

    // The attack: a client that asks for much and takes nothing.
    @Test func `a client that takes nothing of its answer loses the stream`() async throws {
        try await withTLS(configure: { $0.connections.answer = Self.short }) { mortise, _ in
            let settings = [HTTP2Setting(parameter: .initialWindowSize, value: 0)]
            try await connect(mortise, settings: settings) { connection in
                let id = try await connection.open(.get("/openapi.json"))
                #expect(try await connection.answer(id)?.reset != nil)
            }
        }
    }

    // The attacks: frames that cost the server more than the client, or that break the rules.
    @Test func `a connection that breaks the rules of HTTP/2 ends, and others go on`() async throws {
        let head = RawFrame.fields(HPACKHeaders.get("/healthz").map { ($0.name, $0.value) })
        func headers(_ stream: Int) -> [UInt8] { RawFrame.bytes(1, flags: 4, stream: stream, head) }
        var attacks: [(String, [UInt8])] = []
        let reset: [UInt8] = [0, 0, 0, 8]
        let resets = RawFrame.repeated(300) { headers(2 * $0 + 1) + RawFrame.bytes(3, stream: 2 * $0 + 1, reset) }
        attacks.append(("rapid reset", resets))
        let field = RawFrame.fields([("x", "y")])
        let continuations = RawFrame.repeated(20) { _ in RawFrame.bytes(9, stream: 1, field) }
        attacks.append(("CONTINUATION flood", RawFrame.bytes(1, stream: 1, head) + continuations))
        attacks.append(("SETTINGS flood", RawFrame.repeated(300) { _ in RawFrame.bytes(4) }))
        let ping = RawFrame.bytes(6, Array(repeating: 0, count: 8))
        attacks.append(("PING flood", RawFrame.repeated(300) { _ in ping }))
        attacks.append(("DATA before HEADERS", RawFrame.bytes(0, stream: 1, [0])))
        attacks.append(("a stream of the server", headers(2)))
        try await withTLS(configure: { $0.connections.body = .ample }) { mortise, _ in
            let fields = HPACKHeaders.post("/v1/verify", as: mortise.adminToken).map { ($0.name, $0.value) }
            let post = RawFrame.fields(fields)
            // 400 are served, and 200 are refused before the connection ends.
            let posts = RawFrame.repeated(700) { RawFrame.bytes(1, flags: 4, stream: 2 * $0 + 1, post) }
            try await connect(mortise) { other in
                for (name, bytes) in attacks + [("streams without end", posts)] {
                    try await waiting(for: name) {
                        try await RawConnection.with(mortise.address, prepare: TLSClient("h2").prepare) { connection in
                            try? await connection.send(ByteBuffer(bytes: RawFrame.start + bytes))
                            _ = try await connection.rest()
                        }
                    }
                    let id = try await other.open(.get("/healthz"))
                    #expect(try await other.answer(id)?.status == 200, "\(name)")
                }
            }
        }
    }

    // The fault: a rolling restart under load, and each restart loses the requests that were on their way.
    @Test func `a server that stops under load loses no stream of busy connections`() async throws {
        let busy = Tally()
        try await withTLS(configure: { $0.connections.drainingIdle = .ample }) { mortise, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await connect(mortise) { connection in
                            var answered = 0
                            let post = HPACKHeaders.post("/v1/verify", as: mortise.adminToken)
                            var isOpen = true
                            while isOpen, connection.goAways.isEmpty {
                                var ids: [HTTP2StreamID] = []
                                for _ in 0..<4 where isOpen {
                                    // A connection that has ended sends nothing, so nothing is lost.
                                    let id = try? await connection.open(post, Array(#"{"token":"x"}"#.utf8))
                                    if let id { ids.append(id) } else { isOpen = false }
                                }
                                for id in ids {
                                    let answer = try await connection.answer(id)
                                    if answer?.status == 200 {
                                        answered += 1
                                        if answered == 10 { busy.add() }
                                    } else if answer?.isUnsent != true {
                                        Issue.record(
                                            "a stream is lost: \(answer.map { "\($0)" } ?? "it got no answer")"
                                        )
                                    }
                                }
                            }
                            try await connection.rest()
                            #expect(connection.goAways.first == .maxID && connection.goAways.count == 2)
                        }
                    }
                }
                try await eventually("every connection is busy") { busy.count == 8 }
                await mortise.stop()
                try await waiting(for: "the connections end") { try await group.waitForAll() }
            }
        }
    }
}
