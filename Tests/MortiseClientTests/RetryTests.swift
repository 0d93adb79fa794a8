import HTTPTestSupport
import MortiseClient
import TestSupport
import Testing

/// The calls that are sent again, and the times at which they are.
@Suite(.hangLimit) struct RetryTests {
    private let keys = KeyCollection.service(workspace: "w")

    @Test func `a read is repeated after the connection breaks`() async throws {
        let attempts = Counter()
        try await Mortise.with({ _ in attempts.next() < 3 ? .hangUp : .json(Sample.key) }) {
            client,
            server,
            pauses async throws in
            #expect(try await client.keys(keys).get("k").name == "CI")
            #expect(server.requests.count == 3)
            let waits = pauses.all
            #expect(waits.count == 2)
            #expect(waits.allSatisfy { (.milliseconds(125)...(.milliseconds(500))).contains($0) })
        }
    }

    // Failure: the response to a creation is lost, and the repeated request creates a second key that nobody knows.
    @Test func `a repeated creation carries the idempotency key of the first attempt`() async throws {
        let attempts = Counter()
        try await Mortise.with({ _ in attempts.next() == 1 ? .hangUp : .json(Sample.issuedKey) }) {
            client,
            server,
            _ async throws in
            _ = try await client.keys(keys).create(Mortise.KeyDraft(name: "CI", metadata: ["b": 1, "a": 2]))
            let sent = server.requests
            #expect(sent.count == 2)
            #expect(Set(sent.map { $0.header("idempotency-key") }).count == 1)
            #expect(sent.allSatisfy { $0.header("idempotency-key").first?.count == 36 })
            #expect(Set(sent.map(\.body)).count == 1)
        }
    }

    // Without the key, a caller who lost the response could only create another resource.
    @Test func `every creation takes an idempotency key of the caller, and its error has the key`() async throws {
        let calls: [@Sendable (Mortise) async throws -> Void] = [
            { client in
                _ = try await client.management.clientKeys.create(name: "n", scopes: ["*"], idempotencyKey: "mine")
            },
            { client in
                _ = try await client.admin.serviceKeys.create(name: "n", idempotencyKey: "mine")
            },
            { client in
                _ = try await client.admin.serviceKeys.rotate("k", idempotencyKey: "mine")
            },
            { client in
                _ = try await client.admin.apiKeys.create(name: "n", idempotencyKey: "mine")
            },
            { client in
                let members = client.members(of: "o")
                _ = try await members.add(email: "a@b.c", role: .admin, idempotencyKey: "mine")
            },
            { client in
                let keys = Mortise.SessionIssuer.KeySource.url("https://example.com/jwks")
                _ = try await client.sessionIssuers(of: "o").add(issuer: "i", keys: keys, idempotencyKey: "mine")
            },
        ]
        for call in calls {
            try await Mortise.with({ _ in .hangUp }) { client, server, _ async throws in
                let error = await #expect(throws: MortiseError.self) { try await call(client) }
                #expect(error?.idempotencyKey == "mine")
                #expect(server.requests.count == 3)
                #expect(server.requests.allSatisfy { $0.header("idempotency-key") == ["mine"] })
            }
        }
    }

    @Test func `a change that was sent is not repeated`() async throws {
        try await Mortise.with({ _ in .hangUp }) { client, server, _ async throws in
            let error = try await #require(throws: MortiseError.self) {
                try await client.keys(keys).disable("k")
            }
            #expect(error.reason == .unreachable)
            #expect(error.mayHaveTakenEffect)
            #expect(server.requests.count == 1)
        }
    }

    @Test func `Retry-After is obeyed if the timeout allows it`() async throws {
        let attempts = Counter()
        func busy(_ seconds: Int) -> Reply {
            .answer(429, "{}", type: "application/problem+json", headers: [("Retry-After", "\(seconds)")])
        }
        let (soon, late) = (busy(7), busy(86_400))
        try await Mortise.with({ _ in attempts.next() == 1 ? soon : .json(Sample.key) }) {
            client,
            _,
            pauses async throws in
            _ = try await client.keys(keys).get("k")
            #expect(pauses.all == [.seconds(7)])
        }
        var options = ClientOptions.patient
        options.timeout = .seconds(3600)
        try await Mortise.with({ _ in late }, options: options) { client, server, pauses async throws in
            let error = try await #require(throws: MortiseError.self) { try await client.keys(keys).get("k") }
            #expect(error.reason == .rateLimited)
            #expect(error.retryAfter == .seconds(86_400))
            #expect(pauses.all.isEmpty && server.requests.count == 1)
        }
    }

    @Test(arguments: [
        (503, [], 3), (502, [], 3), (409, [("Retry-After", "1")], 3), (409, [], 1), (500, [], 1), (400, [], 1),
        (404, [], 1), (503, [("x-should-retry", "false")], 1),
    ])
    func `a call is repeated only if its response can change`(
        _ status: Int,
        _ headers: [(String, String)],
        _ count: Int
    ) async throws {
        let reply = Reply.answer(status, "{}", type: "application/problem+json", headers: headers)
        try await Mortise.with({ _ in reply }) { client, server, _ async throws in
            await #expect(throws: MortiseError.self) { try await client.keys(keys).create(Mortise.KeyDraft(name: "n")) }
            #expect(server.requests.count == count)
        }
    }

    @Test func `retries can be disabled`() async throws {
        var options = ClientOptions.patient
        options.maximumRetries = 0
        try await Mortise.with({ _ in .hangUp }, options: options) { client, server, _ async throws in
            await #expect(throws: MortiseError.self) { try await client.keys(keys).get("k") }
            #expect(server.requests.count == 1)
        }
    }

    @Test func `a change is repeated if nothing listens, and its error says that nothing was done`() async throws {
        // A port that was free a moment ago can be another test's.
        let url = "http://127.0.0.1:1"
        try await withHTTPClient { http in
            let pauses = Pauses()
            let client = Mortise(url: try ServerURL(url), credential: nil, http: http).pausing { pauses.add($0) }
            let error = try await #require(throws: MortiseError.self) { try await client.keys(keys).disable("k") }
            #expect(error.reason == .unreachable && !error.mayHaveTakenEffect)
            #expect(pauses.all.count == 2)
        }
    }
}
