import HTTPTestSupport
import Logging
import Server
import ServerTestSupport
import TestSupport
import Testing

/// Requests that are not HTTP/1.1 by RFC 9112, sent by clients without a credential.
@Suite(.hangLimit) struct FramingTests {
    private static let post = "POST /v1/verify HTTP/1.1\r\nHost: localhost\r\n"

    /// Requests that can only be answered with 400, after which the connection ends.
    private static let broken: [(String, String)] = [
        ("no Host", "GET /healthz HTTP/1.1\r\n\r\n"),
        ("two Hosts", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        ("a malformed Host", "GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n"),
        ("a Host with a path", "GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        ("a port that is no number", "GET /healthz HTTP/1.1\r\nHost: a:b\r\n\r\n"),
        ("an open bracket", "GET /healthz HTTP/1.1\r\nHost: [::1\r\n\r\n"),
        ("no request line", "hello\r\n\r\n"),
        ("HTTP/2 without a word", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("two lengths", "\(post)Content-Length: 1\r\nContent-Length: 2\r\n\r\nx"),
        ("a length and chunks", "\(post)Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ]

    /// Heads beyond a limit, which are answered with 431.
    private static let tooLarge: [(String, String)] = [
        (
            "a field without an end",
            "GET /healthz HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 70_000))\r\n\r\n"
        ),
        ("a long request line", "GET /healthz?\(String(repeating: "x", count: 70_000)) HTTP/1.1\r\nHost: a\r\n\r\n"),
        (
            "many fields",
            "GET /healthz HTTP/1.1\r\nHost: a\r\n\((0..<250).map { "X-\($0): x\r\n" }.joined())\r\n"
        ),
    ]

    /// Faults of a body that an operation is reading.
    private static let brokenBodies: [(String, String)] = [
        ("an unknown coding", "Transfer-Encoding: gzip\r\n\r\nxxxx"),
        ("a bad chunk size", "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
        (
            "huge trailers",
            "Transfer-Encoding: chunked\r\n\r\n0\r\nX: \(String(repeating: "x", count: 70_000))\r\n\r\n"
        ),
    ]

    @Test func `broken framing is refused and ends the connection, and is no failure of the server`()
        async throws
    {
        try await withMortise { mortise in
            for (fault, request) in Self.broken {
                try await Self.expectRefusal(fault, request, mortise)
            }
            for (fault, rest) in Self.brokenBodies {
                let request = "\(Self.post)Authorization: Bearer \(mortise.adminToken)\r\n\(rest)"
                try await Self.expectRefusal(fault, request, mortise)
            }
            for (fault, request) in Self.tooLarge {
                try await Self.expectRefusal(fault, request, mortise, status: 431)
            }
            try await Self.expectNoFailure(mortise)
        }
    }

    @Test func `a head as large as a gateway may send is served`() async throws {
        try await withMortise { mortise in
            try await RawConnection.with(mortise.address) { connection in
                let field = String(repeating: "x", count: 60_000)
                try await connection.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: \(field)\r\n\r\n")
                let answer = try #require(try await connection.answer())
                #expect(answer.status == 200)
            }
        }
    }

    private static func expectRefusal(
        _ fault: String,
        _ request: String,
        _ mortise: ServerHarness,
        status: Int = 400
    ) async throws {
        try await RawConnection.with(mortise.address) { connection in
            // The server may answer, and close, before all is sent.
            try? await connection.send(request)
            let answer = try #require(try await connection.answer(), "\(fault)")
            #expect(answer.status == status, "\(fault): \(answer)")
            #expect(answer.isLast, "\(fault)")
            #expect(answer["content-type"] == "application/problem+json", "\(fault)")
            #expect(answer["x-request-id"] != nil, "\(fault)")
            #expect(try await connection.rest() == "", "\(fault)")
        }
    }

    /// Expects that no answer was a 5xx and that no line is an error.
    private static func expectNoFailure(_ mortise: ServerHarness) async throws {
        let metrics = try await mortise.api.get("/metrics", as: nil).text
        let failures = metrics.split(separator: "\n")
            .filter { $0.contains(#"status="5xx""#) && !$0.hasSuffix(" 0") }
        #expect(failures == [])
        #expect(mortise.log.lines.filter { $0.level >= .warning }.isEmpty)
    }

    @Test func `a client that leaves in the middle of a body is no failure`() async throws {
        try await withMortise { mortise in
            let head = "\(Self.post)Authorization: Bearer \(mortise.adminToken)\r\nContent-Length: 100\r\n\r\n{"
            // One says that it sends nothing more, and can still be answered.
            try await RawConnection.with(mortise.address) { connection in
                try await connection.send(head)
                connection.finish()
                let answer = try #require(try await connection.answer())
                #expect(answer.status == 400)
                #expect(answer.body.contains("The connection ended before the end of the body."))
            }
            // The others are gone.
            for _ in 0..<10 {
                try await RawConnection.with(mortise.address) { try await $0.send(head) }
            }
            try await eventually("all requests have ended") {
                try await mortise.api.get("/metrics", as: nil).text
                    .contains(#"mortise_http_requests_total{operation="verify",status="4xx"} 11"#)
            }
            try await Self.expectNoFailure(mortise)
        }
    }

    @Test(arguments: [
        "GET /healthz HTTP/1.0\r\n\r\n", "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\nHost: a\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Close\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: x, close\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
    ])
    func `a client of HTTP/1.0, or one that says close or upgrade, gets its answer and the end`(request: String)
        async throws
    {
        try await withMortise { mortise in
            try await RawConnection.with(mortise.address) { connection in
                try await connection.send(request)
                let answer = try #require(try await connection.answer())
                #expect(answer.status == 200)
                #expect(answer.body == "ok\n")
                #expect(answer.isLast)
                #expect(try await connection.rest() == "")
            }
        }
    }

    @Test(arguments: ["localhost", "localhost:8080", "[::1]:8080", "[fe80::1]", "", "a.example.", "10.0.0.1:"])
    func `a Host of any valid form is accepted`(host: String) async throws {
        try await withMortise { mortise in
            try await RawConnection.with(mortise.address) { connection in
                try await connection.send("GET /healthz HTTP/1.1\r\nHost: \(host)\r\n\r\n")
                #expect(try await connection.answer()?.status == 200)
            }
        }
    }

    @Test func `a client that waits for 100 Continue gets it where a body is read, and the refusal elsewhere`()
        async throws
    {
        try await withMortise { mortise in
            let expect = "Content-Type: application/json\r\nContent-Length: 17\r\nExpect: 100-continue\r\n\r\n"
            try await RawConnection.with(mortise.address) { connection in
                try await connection.send("\(Self.post)Authorization: Bearer \(mortise.adminToken)\r\n\(expect)")
                #expect(try await connection.answer()?.status == 100)
                try await connection.send(#"{"token":"mks_x"}"#)
                #expect(try await connection.answer()?.status == 200)
            }
            try await RawConnection.with(mortise.address) { connection in
                try await connection.send("\(Self.post)\(expect)")
                let answer = try #require(try await connection.answer())
                #expect(answer.status == 401)
                #expect(answer.isLast)
            }
        }
    }

    // The reader of a body takes a few pieces at a time, and no more is read meanwhile.
    @Test func `a body of many pieces is read to its end, and the next request behind it`() async throws {
        try await withMortise { mortise in
            let chunked = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
            try await RawConnection.with(mortise.address) { connection in
                try await connection.send("\(Self.post)Authorization: Bearer \(mortise.adminToken)\r\n\(chunked)")
                #expect(try await connection.answer()?.status == 100)
                let blanks = String(repeating: "1\r\n \r\n", count: 1_000)
                try await connection.send("\(blanks)11\r\n{\"token\":\"mks_x\"}\r\n0\r\n\r\n")
                #expect(try await connection.answer()?.status == 200)
                try await connection.get()
                #expect(try await connection.answer()?.status == 200)
            }
        }
    }

    // A pipelining client sends the next request before it has an answer. A fault in it must not hurt the one before.
    @Test func `pipelined requests are answered in order, and a fault after them last`() async throws {
        try await withMortise { mortise in
            try await RawConnection.with(mortise.address) { connection in
                let get = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
                try await connection.send(String(repeating: get, count: 40) + "nonsense\r\n\r\n")
                for _ in 0..<40 { #expect(try await connection.answer()?.status == 200) }
                let last = try #require(try await connection.answer())
                #expect(last.status == 400)
                #expect(last.isLast)
                #expect(try await connection.rest() == "")
            }
        }
    }
}
