import Endpoints
import HTTPTypes
import JSON
import Server
import ServerTestSupport
import TestSupport
import Testing

@Suite(.hangLimit) struct ProblemWireTests {
    private static let keys = "/v1/workspaces/w/keys"
    private static let key = "/v1/workspaces/w/keys/018f0000-0000-7000-8000-000000000000"

    struct Case: Sendable, CustomTestStringConvertible {
        let method: HTTPRequest.Method
        let path: String
        var body: String?
        var caller: String? = "writer"
        var headers: HTTPFields = [:]
        let status: Int
        let code: String
        var errors: JSONValue?

        var testDescription: String { "\(method) \(path) \(body?.prefix(60) ?? "") -> \(status)" }
    }

    static let badInput: [Case] = [
        Case(method: .post, path: keys, body: "{", status: 400, code: "invalid_request"),
        Case(method: .post, path: keys, body: "\u{0}", status: 400, code: "invalid_request"),
        Case(
            method: .post,
            path: keys,
            body: #"{"name":1,"scopes":["a",2],"x":0}"#,
            status: 400,
            code: "invalid_request",
            errors: [
                ["pointer": "/name", "detail": "must be a string"],
                ["pointer": "/scopes/1", "detail": "must be a string"],
                ["pointer": "/x", "detail": "is not a member of this object"],
            ]
        ),
        Case(
            method: .post,
            path: "\(keys)?a=1",
            body: "{}",
            headers: [.idempotencyKey: "a b"],
            status: 400,
            code: "invalid_request",
            errors: [
                ["parameter": "a", "detail": "is not a parameter of this operation"],
                ["header": "Idempotency-Key", "detail": "must be 1 to 255 visible ASCII characters"],
                ["pointer": "/name", "detail": "is required"],
            ]
        ),
        Case(
            method: .get,
            path: "\(keys)?limit=0&cursor=%FF",
            status: 400,
            code: "invalid_request",
            errors: [
                ["parameter": "cursor", "detail": "must be percent-encoded UTF-8"],
                ["parameter": "limit", "detail": "must lie between 1 and 100"],
            ]
        ),
        Case(
            method: .post,
            path: keys,
            body: "x=1",
            headers: [.contentType: "text/plain"],
            status: 415,
            code: "unsupported_media_type"
        ),
        Case(
            method: .post,
            path: keys,
            body: "{}",
            headers: [.contentType: "application/jsonp"],
            status: 415,
            code: "unsupported_media_type"
        ),
        Case(
            method: .post,
            path: keys,
            body: "{}",
            headers: [.contentEncoding: "gzip"],
            status: 415,
            code: "unsupported_media_type"
        ),
        Case(
            method: .post,
            path: keys,
            body: "name=a",
            headers: [.contentType: "application/x-www-form-urlencoded", .contentEncoding: "BR"],
            status: 415,
            code: "unsupported_media_type"
        ),
        Case(method: .get, path: keys, caller: nil, status: 401, code: "unauthorized"),
        Case(method: .get, path: keys, caller: "stranger", status: 401, code: "unauthorized"),
        Case(method: .delete, path: key, caller: "reader", status: 403, code: "forbidden"),
        Case(method: .delete, path: "\(keys)/not-an-id", status: 404, code: "not_found"),
        Case(method: .delete, path: "\(keys)/%FF", status: 404, code: "not_found"),
        Case(method: .get, path: "/v1/workspaces/%00/keys", status: 404, code: "not_found"),
        Case(
            method: .get,
            path: "/v1/workspaces/\(String(repeating: "w", count: 65))/keys",
            status: 404,
            code: "not_found"
        ),
        Case(method: .get, path: "/v1/nothing", status: 404, code: "not_found"),
        Case(method: .get, path: "/elsewhere", status: 404, code: "not_found"),
        Case(method: .get, path: "/v1x", status: 404, code: "not_found"),
        Case(method: .get, path: "/", status: 404, code: "not_found"),
        Case(method: .put, path: keys, status: 405, code: "method_not_allowed"),
        Case(method: .post, path: "/metrics", status: 405, code: "method_not_allowed"),
        Case(method: .post, path: "/v1/conflicts", status: 409, code: "conflict"),
        Case(method: .post, path: "/v1/fails", status: 500, code: "internal_error"),
    ]

    @Test func `invalid input is answered with a problem that names the fault`() async throws {
        try await withSampleServer { client async throws in
            for item in Self.badInput {
                let answer = try await client.send(item.method, item.path, item.body, as: item.caller, item.headers)
                let comment: Comment = "\(item.testDescription): \(answer.text)"
                #expect(answer.status == item.status, comment)
                #expect(answer.headers[.contentType] == "application/problem+json", comment)
                #expect(answer.headers[.cacheControl] == "no-store", comment)
                let problem = try #require(answer.json?.object, comment)
                #expect(problem["type"] == .string("/problems/\(item.code)"), comment)
                #expect(problem["status"] == .integer(Int64(item.status)), comment)
                #expect(problem["code"] == .string(item.code), comment)
                #expect(problem["request_id"]?.string == answer.headers[.xRequestID], comment)
                #expect(
                    problem["title"]?.string?.isEmpty == false && problem["detail"]?.string?.isEmpty == false,
                    comment
                )
                if let errors = item.errors { #expect(problem["errors"] == errors, comment) }
            }
        }
    }

    // A client without a credential must not learn the form of a body from the order of the checks. It must not make
    // the server parse a body either.
    @Test func `authentication is checked before the permission, and the permission before the input`() async throws {
        try await withSampleServer { client async throws in
            #expect(try await client.send(.post, "\(Self.keys)?x=1", "{", as: nil).status == 401)
            #expect(try await client.send(.post, "\(Self.keys)?x=1", "{", as: "reader").status == 403)
            #expect(try await client.send(.post, "\(Self.keys)?x=1", "{", as: "writer").status == 400)
        }
    }

    @Test func `an error has its header fields`() async throws {
        try await withSampleServer { client async throws in
            let nobody = try await client.send(.get, Self.keys, as: nil)
            #expect(nobody.headers[.wwwAuthenticate] == #"Bearer realm="mortise""#)
            let stranger = try await client.send(.get, Self.keys, as: "stranger")
            #expect(stranger.headers[.wwwAuthenticate] == #"Bearer realm="mortise", error="invalid_token""#)
            let reader = try await client.send(.delete, Self.key, as: "reader")
            #expect(
                reader.headers[.wwwAuthenticate]
                    == #"Bearer realm="mortise", error="insufficient_scope", scope="keys:write""#
            )
            #expect(reader.json?["detail"]?.string?.contains("keys:write") == true)
            let detail =
                "The header Content-Encoding is not supported. Send the body uncompressed, without this header."
            for type in ["application/json", "application/x-www-form-urlencoded"] {
                let headers: HTTPFields = [.contentEncoding: "gzip", .contentType: type]
                let zipped = try await client.send(.post, Self.keys, "{}", headers)
                #expect(zipped.headers[.acceptEncoding] == "identity", "\(type)")
                #expect(zipped.json?["detail"]?.string == detail, "\(type)")
            }
            let typed = try await client.send(.post, Self.keys, "{}", [.contentType: "text/plain"])
            #expect(typed.json?["detail"]?.string == "The body must be JSON.")
            let plain = try await client.send(.post, Self.keys, #"{"name":"a"}"#, [.contentEncoding: "identity"])
            #expect(plain.status == 201, "\(plain.text)")
            for method in ["PUT", "TRACE", "QUERY", "PROPFIND", "OPTIONS"] {
                let method = try #require(HTTPRequest.Method(method))
                let answer = try await client.send(method, Self.keys)
                #expect(answer.status == 405)
                #expect(answer.headers[.allow] == "GET, HEAD, POST")
            }
            #expect(try await client.send(.post, "/healthz").headers[.allow] == "GET, HEAD")
        }
    }

    @Test func `a body over the limit is refused and the answer announces the close`() async throws {
        try await withSampleServer { client async throws in
            let fits = #"{"name":"a","metadata":{}}"# + String(repeating: " ", count: 65_536 - 26)
            #expect(try await client.send(.post, Self.keys, fits).status == 201)
            let answer = try await client.send(.post, Self.keys, fits + " ")
            #expect(answer.status == 413)
            #expect(answer.json?["code"] == "content_too_large")
            #expect(answer.headers[.connection] == "close")
        }
    }

    @Test func `a slow body is refused and the answer announces the close`() async throws {
        try await withSampleServer(EndpointSettings(bodyDeadline: .zero)) { client async throws in
            let answer = try await client.send(.post, Self.keys, String(repeating: " ", count: 65_000))
            #expect(answer.status == 408)
            #expect(answer.headers[.connection] == "close")
        }
    }

    // The text of an error may contain connection strings. The client sees nothing of it, and the log only its redacted
    // form.
    @Test func `an unknown error is hidden from the client and logged without secrets`() async throws {
        let log = LineCollector()
        let settings = EndpointSettings(redact: { String($0.replacing("hunter2", with: "[redacted]")) })
        try await withSampleServer(settings, log: log) { client async throws in
            let answer = try await client.send(.post, "/v1/fails", [.xRequestID: "r-1"])
            #expect(answer.status == 500)
            #expect(!answer.text.contains("postgres") && !answer.text.contains("hunter2"))
        }
        let errors = log.lines.filter { $0.contains(#""level":"error""#) }
        #expect(errors.count == 1)
        #expect(errors.first?.contains(#""request_id":"r-1""#) == true)
        #expect(errors.first?.contains("postgres://owner:[redacted]@db") == true)
        #expect(!log.lines.joined().contains("hunter2"))
    }
}
