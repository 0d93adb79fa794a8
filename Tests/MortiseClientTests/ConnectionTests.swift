import HTTPTestSupport
import MortiseClient
import TestSupport
import Testing

/// The ends of calls, and the values that requests and errors carry.
@Suite(.hangLimit) struct ConnectionTests {
    private let keys = KeyCollection.service(workspace: "w")

    @Test func `a call of a silent server ends at the deadline`() async throws {
        // An odd number of milliseconds is never a whole second, which the message would name as such.
        let limit = Int(Duration.milliseconds(50).onThisMachine / .milliseconds(1)) | 1
        var options = ClientOptions.patient
        options.timeout = .milliseconds(limit)
        try await Mortise.with({ _ in .silence }, options: options) { client, _, _ async throws in
            let error = try await #require(throws: MortiseError.self) {
                try await client.keys(keys).create(Mortise.KeyDraft(name: "n"))
            }
            #expect(error.reason == .timedOut)
            #expect(error.mayHaveTakenEffect && error.idempotencyKey != nil)
            #expect(error.message.hasSuffix("did not answer within \(limit) ms."))
        }
    }

    @Test func `cancelling the task ends the call`() async throws {
        try await Mortise.with({ _ in .silence }) { client, server, _ async throws in
            let call = Task { try await client.keys(keys).get("k") }
            _ = await server.nextRequest()
            call.cancel()
            let error = try await #require(throws: MortiseError.self) { try await call.value }
            #expect(error.reason == .cancelled)
        }
    }

    // Attack: a server in the middle redirects the client, and with it the credential, to another server.
    @Test func `a redirection is not followed`() async throws {
        try await Mortise.with({ _ in .json(Sample.key) }) { _, target, _ in
            let location = [("Location", target.url + "/v1/operator-keys/k")]
            try await ScriptedServer.with({ _ in .answer(307, "", headers: location) }) { server in
                // The client uses the shared HTTP client.
                let client = Mortise(
                    url: try ServerURL(server.url),
                    credential: .token(SecretToken(Mortise.token))
                )
                let error = try await #require(throws: MortiseError.self) { try await client.keys(.operator).get("k") }
                #expect(error.reason == .unexpectedAnswer)
            }
            #expect(target.requests.isEmpty)
        }
    }

    @Test(arguments: [429, 502, 503, 504])
    func `an outage that a proxy reports is an outage`(_ status: Int) async throws {
        var options = ClientOptions.patient
        options.maximumRetries = 0
        let headers = [("Retry-After", "7"), ("X-Request-Id", "r-1")]
        try await Mortise.with(
            { _ in .answer(status, "<html>", type: "text/html", headers: headers) },
            options: options
        ) { client, _, _ async throws in
            let error = try await #require(throws: MortiseError.self) { try await client.keys(keys).get("k") }
            #expect(error.reason == (status == 429 ? .rateLimited : .unavailable))
            #expect(error.status == status)
            #expect(error.retryAfter == .seconds(7))
            #expect(error.requestID == "r-1")
        }
    }

    // AsyncHTTPClient's own error would quote the value.
    @Test func `a value that no header can carry is refused before anything is sent`() async throws {
        try await Mortise.with({ _ in .json(Sample.key) }) { client, server, _ async throws in
            for value in ["a\nb", "", "ü"] {
                let error = try await #require(throws: MortiseError.self) {
                    _ = try await client.forWorkspace(value).admin.serviceKeys.list()
                }
                #expect(error.reason == .invalidRequest)
                #expect(!error.mayHaveTakenEffect)
                #expect(value.isEmpty || !"\(error)".contains(value))
            }
            #expect(server.requests.isEmpty)
        }
    }

    @Test(arguments: [(500, "text/html"), (200, "text/html"), (200, "application/json")])
    func `a response that is not Mortise's is an error`(_ status: Int, _ type: String) async throws {
        var options = ClientOptions.patient
        options.maximumRetries = 0
        try await Mortise.with({ _ in .answer(status, "<html>", type: type) }, options: options) {
            client,
            _,
            _ async throws in
            let error = try await #require(throws: MortiseError.self) { try await client.keys(keys).get("k") }
            #expect(error.reason == .unexpectedAnswer)
            #expect(error.status == status)
        }
    }

    @Test func `the error for a malformed response names the member and shows no value`() async throws {
        let answer = Sample.key.replacing(#""status":"active""#, with: #""status":5"#)
        try await Mortise.with({ _ in .json(Sample.list([answer])) }) { client, _, _ async throws in
            let error = try await #require(throws: MortiseError.self) { try await client.keys(keys).list().all() }
            #expect(error.reason == .unexpectedAnswer)
            #expect(error.message.contains("/data/0/status"))
        }
    }

    // Attack: an id with dots and slashes names another path.
    @Test func `an id stays one segment of the path`() async throws {
        try await Mortise.with({ _ in .json(Sample.key) }) { client, server, _ async throws in
            for id in ["../../../operator-keys", "..", "a?x#y%2F", "é\u{0}"] { _ = try await client.keys(keys).get(id) }
            let prefix = "/v1/workspaces/w/service-keys/"
            let ids = ["..%2F..%2F..%2Foperator-keys", "%2E%2E", "a%3Fx%23y%252F", "%C3%A9%00"]
            #expect(server.requests.map(\.uri) == ids.map { prefix + $0 })
        }
    }

    // Attack: a token with a line break adds headers to the request.
    @Test(arguments: ["", "a b", "a\r\nX-Evil: 1", "ä", String(repeating: "a", count: 8193)])
    func `a token that cannot be the value of a header is never sent`(_ text: String) async throws {
        try await ScriptedServer.with({ _ in .json(Sample.key) }) { server in
            let client = Mortise(url: try ServerURL(server.url), credential: .token(SecretToken(text)))
            let error = try await #require(throws: MortiseError.self) { try await client.keys(keys).get("k") }
            #expect(error.reason == .noCredential)
            #expect(server.requests.isEmpty)
        }
    }

    // Attack: a token reaches a log through an error, an interpolation or a dump.
    @Test func `no description shows a token`() async throws {
        let secret = "mks_live_hunter2"
        let token = SecretToken(secret)
        let refusal = Reply.answer(
            401,
            #"{"detail":"No.","code":"unauthorized"}"#,
            type: "application/problem+json"
        )
        try await Mortise.with({ _ in refusal }) { client, _, _ async throws in
            let mine = Mortise(url: client.url, credential: .token(token))
            let error = try await #require(throws: MortiseError.self) {
                try await mine.keys(.client(workspace: "w")).create(Mortise.KeyDraft(name: "n"))
            }
            #expect(error.reason == .unauthenticated && error.code == "unauthorized")
            let question = Mortise.Verification(token)
            let values: [any Sendable] = [
                token, error, mine, mine.keys(.operator), mine.management, mine.admin.apiKeys.list(), question,
                Credential.token(token),
            ]
            for value in values {
                var dumped = ""
                dump(value, to: &dumped)
                #expect(!dumped.contains("hunter2"))
                #expect(!"\(value)\(String(reflecting: value))".contains("hunter2"))
            }
        }
    }

    @Test func `a call sends nothing if its credential is not available`() async throws {
        struct NotSignedIn: Error {}
        try await ScriptedServer.with({ _ in .json(Sample.key) }) { server in
            let credential = Credential.provided { throw NotSignedIn() }
            let client = Mortise(url: try ServerURL(server.url), credential: credential)
            let error = try await #require(throws: MortiseError.self) { try await client.apiKeys.getAll() }
            #expect(error.reason == .noCredential)
            #expect(server.requests.isEmpty)
        }
    }
}
