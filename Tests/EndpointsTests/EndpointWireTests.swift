import Endpoints
import HTTPTypes
import JSON
import NIOCore
import Server
import ServerTestSupport
import TestSupport
import Testing

@Suite(.hangLimit) struct EndpointWireTests {
    @Test func `an operation receives its declared input and answers`() async throws {
        try await withSampleServer { client async throws in
            let made = try await client.send(
                .post,
                "/v1/workspaces/caf%C3%A9/keys",
                #"{"name":"a"}"#,
                [.contentType: "application/json; charset=utf-8", .idempotencyKey: "k1"]
            )
            #expect(made.status == 201)
            #expect(made.text == #"{"name":"a","workspace":"café","idempotency_key":"k1","bytes":12}"#)
            #expect(made.headers[.contentType] == "application/json")
            #expect(made.headers[.cacheControl] == "no-store")
            #expect(made.headers[.location] == "/v1/keys/1")
            let list = try await client.send(.get, "/v1/workspaces/w/keys?limit=2&cursor=a%2Fb", as: "reader")
            #expect(list.text == #"{"data":["key","key"],"next_cursor":"a/b"}"#)
            let first = try await client.send(.get, "/v1/workspaces/w/keys", as: "reader")
            #expect(first.text == #"{"data":["key","key","key"],"next_cursor":null}"#)
        }
    }

    @Test func `a patch distinguishes absent, null and value`() async throws {
        try await withSampleServer { client async throws in
            let path = "/v1/workspaces/w/keys/018f0000-0000-7000-8000-000000000000"
            #expect(try await client.send(.patch, path, "{}").text == "keep")
            #expect(try await client.send(.patch, path, #"{"description":null}"#).text == "clear")
            #expect(try await client.send(.patch, path, #"{"description":"x"}"#).text == "set x")
        }
    }

    @Test func `an optional body may be empty, and a required one may not`() async throws {
        try await withSampleServer { client async throws in
            let path = "/v1/workspaces/w/keys/018f0000-0000-7000-8000-000000000000"
            #expect(try await client.send(.post, "\(path)/rotate").text == "86400")
            #expect(try await client.send(.post, "\(path)/rotate", #"{"grace_period_seconds":0}"#).text == "0")
            let missing = try await client.send(.patch, path)
            #expect(missing.status == 400)
            #expect(missing.json?["errors"] == [["pointer": "", "detail": "is required"]])
        }
    }

    /// An operation that takes no body, and answers with what it got of one.
    private static let pause = Endpoint<SampleCaller>(
        .post,
        "/v1/pause",
        id: "pause",
        tag: "Keys",
        summary: "Pause.",
        access: .admin("keys:write"),
        responses: [EndpointResult(.ok, "Text.", mediaType: "text/plain")]
    ) { request in
        .text("\(request.rawBody.readableBytes) \(request.json.isNull)")
    }

    // A reason that a client sends along with a stop would be lost without a word.
    @Test func `an operation that takes no body refuses one, if its surface says so`() async throws {
        let none: [(String?, HTTPFields)] = [
            (nil, [:]), (nil, [.contentType: "text/plain"]), ("{}", [:]), (" {\n} ", [:]),
            ("{}", [.contentType: "application/x-www-form-urlencoded"]),
        ]
        let some: [(String, JSONValue?)] = [
            (
                #"{"reason":"x","a":1}"#,
                [
                    ["pointer": "/reason", "detail": "is not a member of this object"],
                    ["pointer": "/a", "detail": "is not a member of this object"],
                ]
            ), ("[]", [["pointer": "", "detail": "must be an object"]]),
            ("null", [["pointer": "", "detail": "must be an object"]]), ("{", nil), ("reason=x", nil), (" ", nil),
        ]
        try await withSampleServer(adding: [Self.pause.refusingBody()]) { client async throws in
            for (body, headers) in none {
                let answer = try await client.send(.post, "/v1/pause", body, as: "writer", headers)
                #expect(answer.status == 200 && answer.text == "0 true", "\(body ?? "-"): \(answer.text)")
            }
            for (body, errors) in some {
                let answer = try await client.send(.post, "/v1/pause", body)
                #expect(answer.status == 400 && answer.json?["code"] == "invalid_request", "\(body): \(answer.text)")
                if let errors { #expect(answer.json?["errors"] == errors, "\(body): \(answer.text)") }
            }
            #expect(try await client.send(.post, "/v1/pause", "{", as: "reader").status == 403)
            let long = "{" + String(repeating: " ", count: 65_536) + "}"
            #expect(try await client.send(.post, "/v1/pause", long).status == 413)
        }
        try await withSampleServer(adding: [Self.pause]) { client async throws in
            for (body, _) in some {
                let answer = try await client.send(.post, "/v1/pause", body)
                #expect(answer.status == 200 && answer.text == "0 true", "\(body): \(answer.text)")
            }
        }
        // An operation with a body, one that only reads, and one for all methods stay as they are.
        for endpoint in SampleTable.make().endpoints {
            let isPlain = endpoint.body == nil && endpoint.method != .get && endpoint.method != .any
            #expect(endpoint.refusingBody().refusesBody == isPlain, "\(endpoint.operationID)")
        }
        let kinds = Set(Self.pause.refusingBody().allProblems).subtracting(Self.pause.allProblems)
        #expect(kinds == [.contentTooLarge, .requestTimeout])
    }

    @Test func `an answer without a body has no length`() async throws {
        try await withSampleServer { client async throws in
            let gone = try await client.send(.delete, "/v1/workspaces/w/keys/018f0000-0000-7000-8000-000000000000")
            #expect(gone.status == 204)
            #expect(gone.text.isEmpty)
            #expect(gone.headers[.contentLength] == nil)
            #expect(gone.headers[.cacheControl] == "no-store")
        }
    }

    @Test func `HEAD has the answer of GET without the body`() async throws {
        try await withSampleServer { client async throws in
            let get = try await client.send(.get, "/v1/workspaces/w/keys", as: "reader")
            let head = try await client.send(.head, "/v1/workspaces/w/keys", as: "reader")
            #expect(head.status == 200)
            #expect(head.text.isEmpty)
            #expect(head.headers[.contentLength] == get.headers[.contentLength])
            #expect(try await client.send(.head, "/healthz").headers[.contentLength] == "3")
            #expect(try await client.send(.head, "/v1/nothing").status == 404)
            #expect(try await client.send(.head, "/v1/workspaces/w/keys", as: nil).text.isEmpty)
            #expect(try await client.send(.get, "/v1/workspaces/w/keys", as: "reader").text == get.text)
        }
    }

    @Test func `an operation for all methods answers all methods`() async throws {
        try await withSampleServer { client async throws in
            for method in ["GET", "POST", "DELETE", "OPTIONS", "PROPFIND", "TRACE"] {
                let method = try #require(HTTPRequest.Method(method))
                let answer = try await client.send(method, "/v1/authorize/w1/a/b%20c?x=1", as: nil)
                #expect(answer.status == 200)
                #expect(answer.text == "\(method.rawValue) w1 a/b c")
            }
        }
    }

    @Test func `an acceptable request id of the client is kept, and any other is replaced`() async throws {
        try await withSampleServer { client async throws in
            for id in ["abc", "A.b_c-9", String(repeating: "x", count: 64)] {
                #expect(try await client.send(.get, "/healthz", [.xRequestID: id]).headers[.xRequestID] == id)
            }
            var seen: Set<String> = []
            for id in ["", "a b", "a\"b", "é", String(repeating: "x", count: 65), "a/b", "\u{7F}"] {
                let answer = try await client.send(.get, "/v1/nothing", [.xRequestID: id])
                let given = try #require(answer.headers[.xRequestID])
                #expect(TextFormat.uuid.matches(given))
                #expect(answer.json?["request_id"]?.string == given)
                #expect(seen.insert(given).inserted)
            }
        }
    }

    // The attack: a misconfigured proxy or client sends its token as the request id. Answers, logs and events contain
    // request ids, so everybody who may read events would find the token.
    @Test(arguments: ["mks_live_", "mko_test_", "ak_live_", "x-mka_live_"])
    func `a request id in the form of a token is replaced and appears nowhere`(_ start: String)
        async throws
    {
        let body = "0123456789ABCDEFGHIJKLMNOPQRSTUV0000000000abcd"
        let log = LineCollector()
        let settings = EndpointSettings(accessLog: .all)
        try await withSampleServer(settings, log: log) { client async throws in
            for length in [10, 20, body.count] {
                let id = start + body.prefix(length)
                try #require(id.count <= 64, "it would be refused for its length alone")
                for path in ["/v1/nothing", "/v1/workspaces/w/keys", "/healthz"] {
                    let answer = try await client.send(.get, path, [.xRequestID: id])
                    #expect(TextFormat.uuid.matches(try #require(answer.headers[.xRequestID])))
                    #expect(!answer.text.contains(body.prefix(length)))
                }
            }
            // The display prefix of a token is not secret, so it may appear.
            let harmless = start + body.prefix(7)
            #expect(try await client.send(.get, "/healthz", [.xRequestID: harmless]).headers[.xRequestID] == harmless)
        }
        #expect(!log.lines.isEmpty)
        #expect(!log.lines.joined().contains(body.prefix(10)))
    }
}

extension SampleClient {
    func send(_ method: HTTPRequest.Method, _ path: String, _ headers: HTTPFields) async throws -> Answer {
        try await send(method, path, nil, as: "writer", headers)
    }

    func send(_ method: HTTPRequest.Method, _ path: String, _ body: String, _ headers: HTTPFields) async throws
        -> Answer
    {
        try await send(method, path, body, as: "writer", headers)
    }
}
