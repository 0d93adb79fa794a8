import Endpoints
import HTTPTestSupport
import HTTPTypes
import JSON
import Locks
import Logging
import TestSupport
import Testing

/// First steps of operations, on the thread of their connection.
@Suite(.hangLimit) struct FirstStepWireTests {
    /// Judges the writer's and the stranger's credential without a wait.
    private static let security = EndpointSecurity<SampleCaller>(
        authenticate: SampleTable.security.authenticate,
        atOnce: { headers, _, _ in
            switch headers[.authorization] {
            case "Bearer writer": SampleCaller(permissions: ["keys:read"])
            case "Bearer stranger": SampleCaller(permissions: [])
            default: nil
            }
        },
        authorize: SampleTable.security.authorize,
        onBehalf: nil
    )

    /// Answers with the place in which the step ran, and with a text of the request.
    private static let step = Endpoint<SampleCaller>(
        .post,
        "/v1/step",
        id: "step",
        tag: "Keys",
        summary: "Take a step.",
        access: .any("keys:read"),
        body: .optional(
            .object([.optional("text", .string(max: 10_000)), .optional("waits", .boolean)])
        ),
        responses: [EndpointResult(.ok, "The place.", nil, mediaType: "text/plain")],
        deadline: nil,
        waits: .only(.seconds(60)),
        logsAccess: false,
        firstStep: { request in
            let text = try request.body.optional("text", as: String.self) ?? ""
            let first = Self.place
            guard try request.body.optional("waits", as: Bool.self) == true else { return .answer(.text(first + text)) }
            return .wait { .text("\(first), then \(Self.place)") }
        }
    )

    private static var place: String { withUnsafeCurrentTask { $0 == nil ? "connection" : "task" } }

    private static func withServer(_ test: @Sendable (SampleClient) async throws -> Void) async throws {
        try await withSampleServer(security: security, adding: [step], test)
    }

    /// Sends a request whose body arrives with its head, which no client library promises.
    private static func ask(
        _ server: SampleClient,
        _ body: String,
        _ field: String = "Accept: text/plain"
    ) async throws -> RawConnection.Answer {
        try await RawConnection.with(server.address) { connection in
            try await connection.send(
                "POST /v1/step HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer writer\r\n\(field)\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
            )
            return try #require(try await connection.answer())
        }
    }

    @Test func `a request that its first step answers needs no task, and has the fields of every answer`()
        async throws
    {
        try await Self.withServer { server in
            let answer = try await Self.ask(server, #"{"text": "!"}"#, "X-Request-Id: chosen-by-the-client")
            #expect(answer.status == 200 && answer.body == "connection!", "\(answer)")
            #expect(answer["x-request-id"] == "chosen-by-the-client", "\(answer)")
            #expect(answer["cache-control"] == "no-store" && answer["date"] != nil, "\(answer)")
            let other = try await Self.ask(server, "")
            #expect(other.body == "connection" && other["x-request-id"]?.isEmpty == false, "\(other)")
        }
    }

    @Test func `what waits runs in a task`() async throws {
        try await Self.withServer { server in
            let answer = try await Self.ask(server, #"{"waits": true}"#)
            #expect(answer.status == 200 && answer.body == "connection, then task", "\(answer)")
            #expect(answer["x-request-id"]?.isEmpty == false, "\(answer)")
        }
    }

    @Test func `a request with a caller who is not known, a long body or another origin runs in a task`() async throws {
        try await Self.withServer { server in
            let unknown = try await server.send(.post, "/v1/step", as: "reader")
            #expect(unknown.text == "task")
            let text = String(repeating: "x", count: 5000)
            let long = try await server.send(.post, "/v1/step", #"{"text": "\#(text)"}"#)
            #expect(long.text == "task" + text)
            let foreign = try await server.send(.post, "/v1/step", nil, [.origin: "https://example.com"])
            #expect(foreign.text == "task")
        }
    }

    // Attack: a shorter way to an operation is tried with what the longer way refuses.
    @Test func `a first step is refused what every request is refused`() async throws {
        try await Self.withServer { server in
            for (caller, body, status, code) in [
                ("stranger", "{}", 403, "forbidden"), ("writer", #"{"text": 5}"#, 400, "invalid_request"),
                ("writer", "{", 400, "invalid_request"), ("nobody", "{}", 401, "unauthorized"),
            ] {
                let answer = try await server.send(.post, "/v1/step", body, as: caller)
                #expect(answer.status == status && answer.json?["code"]?.string == code)
                #expect(answer.json?["request_id"]?.string == answer.headers[.xRequestID])
            }
            let query = try await server.send(.post, "/v1/step?more=1")
            #expect(query.status == 400)
            let method = try await server.send(.get, "/v1/step")
            #expect(method.status == 405)
            let type = try await server.send(.post, "/v1/step", "{}", [.contentType: "text/plain"])
            #expect(type.status == 415)
        }
    }

    // Attack: a client sends many requests at once, so that the thread of its connection has no time for others.
    @Test func `requests that arrive together are answered in their order, and only a few of them without a task`()
        async throws
    {
        try await Self.withServer { server in
            let texts = try await RawConnection.with(server.address) { connection in
                let requests = (0..<20)
                    .map { number in
                        let body = #"{"text": " \#(number)"}"#
                        return "POST /v1/step HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer writer\r\n"
                            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
                    }
                try await connection.send(requests.joined())
                var texts: [String] = []
                while texts.count < 20, let answer = try await connection.answer() { texts.append(answer.body) }
                return texts
            }
            #expect(texts.map { $0.split(separator: " ").last.flatMap { Int($0) } } == Array(0..<20))
            #expect(texts.count { $0.hasPrefix("task") } > 0 && texts.count { $0.hasPrefix("connection") } >= 8)
        }
    }

    @Test func `a last answer without a task closes the connection`() async throws {
        try await Self.withServer { server in
            let rest = try await RawConnection.with(server.address) { connection in
                try await connection.send(
                    "POST /v1/step HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer writer\r\nConnection: close\r\n"
                        + "Content-Length: 2\r\n\r\n{}"
                )
                return try await connection.rest()
            }
            #expect(rest.hasPrefix("HTTP/1.1 200") && rest.lowercased().contains("connection: close"))
            #expect(rest.hasSuffix("connection"))
        }
    }

    @Test func `a caller who is waited for is authenticated once, and has one limit for all waits and a turn`()
        async throws
    {
        let notes = Locked<[String]>([])
        @Sendable func note(_ text: String) { notes.withLock { $0.append(text) } }
        let security = EndpointSecurity<SampleCaller>(
            authenticate: { headers, context, isRepeated in
                note("authentication")
                return try await SampleTable.security.authenticate(headers, context, isRepeated)
            },
            atOnce: { _, _, _ in nil },
            authorize: SampleTable.security.authorize,
            onBehalf: { caller, rest in
                note(caller == nil ? "turn of nobody" : "turn")
                return try await rest()
            }
        )
        var settings = EndpointSettings()
        settings.limitWaits = { limit, body in
            note("\(limit)")
            try await body()
        }
        try await withSampleServer(settings, security: security, adding: [Self.step]) { server in
            let answer = try await Self.ask(server, #"{"waits": true}"#, "X-Request-Id: chosen-by-the-client")
            #expect(answer.status == 200 && answer.body == "task, then task", "\(answer)")
            #expect(answer["x-request-id"] == "chosen-by-the-client" && answer["cache-control"] == "no-store")
            #expect(notes.withLock { $0 } == ["60.0 seconds", "authentication", "turn"])
        }
    }

    // Attack: a credential that must be waited for is tried with what every request is refused.
    @Test func `a caller who is waited for is refused what every request is refused`() async throws {
        let security = EndpointSecurity<SampleCaller>(
            authenticate: { headers, context, isRepeated in
                if headers[.authorization] == "Bearer stranger" { return SampleCaller(permissions: []) }
                return try await SampleTable.security.authenticate(headers, context, isRepeated)
            },
            atOnce: { _, _, _ in nil },
            authorize: SampleTable.security.authorize,
            onBehalf: nil
        )
        try await withSampleServer(security: security, adding: [Self.step]) { server in
            for (caller, body, status, code) in [
                ("stranger", "{}", 403, "forbidden"), ("writer", #"{"text": 5}"#, 400, "invalid_request"),
                ("writer", "{", 400, "invalid_request"), ("nobody", "{}", 401, "unauthorized"),
            ] {
                let answer = try await server.send(.post, "/v1/step", body, as: caller)
                #expect(answer.status == status && answer.json?["code"]?.string == code, "\(answer)")
                #expect(answer.json?["request_id"]?.string == answer.headers[.xRequestID])
            }
        }
    }
}
