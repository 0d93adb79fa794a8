import HTTPTestSupport
import TestSupport
import Testing

@Suite(.hangLimit) struct RefusalTests {
    @Test func `a refusal is printed with its code, its request id and every fault`() async throws {
        let faults =
            #","errors":[{"pointer":"/scopes/0","detail":"is not a scope"},{"pointer":"/name","detail":"is empty"}]"#
        try await ScriptedServer.with({ _ in
            Sample.problem(400, "invalid_request", "The request is not valid.", more: faults)
        }) {
            server in
            let outcome = try await Program.call("key", "create", "", "--workspace", "shop", "--show-token", at: server)
            #expect(outcome.code == 1)
            #expect(outcome.output.isEmpty)
            #expect(
                outcome.errors == """
                    Error: The request is not valid. (400, invalid_request, request req-7)
                      --scope, number 1: is not a scope
                      the name: is empty

                    """
            )
        }
    }

    @Test func `the only fault of a request is a sentence`() async throws {
        let fault = #","errors":[{"pointer":"/email","detail":"must be an e-mail address"}]"#
        try await ScriptedServer.with({ _ in
            Sample.problem(400, "invalid_request", "/email: must be an e-mail address.", more: fault)
        }) { server in
            let outcome = try await Program.call("key", "disable", Sample.id, "--operator", at: server)
            let sentence = "Error: The e-mail address: must be an e-mail address."
            #expect(outcome.errors == "\(sentence) (400, invalid_request, request req-7)\n")
        }
    }

    @Test func `a rate limit tells when to retry, and a wrong credential tells its source`() async throws {
        try await ScriptedServer.with({ _ in
            .answer(429, #"{"detail":"Too many."}"#, type: "application/problem+json", headers: [("Retry-After", "7")])
        }) { server in
            let outcome = try await Program.call("key", "list", "--operator", at: server)
            #expect(outcome.code == 1 && outcome.errors.contains("Try again in 7 s."))
        }
        try await ScriptedServer.with({ _ in Sample.problem(401, "unauthorized", "No.") }) { server in
            let outcome = try await Program.call("key", "list", "--operator", at: server)
            #expect(outcome.code == 1 && outcome.errors.contains("MORTISE_TOKEN"))
        }
    }

    @Test(arguments: [(502, "text/html"), (200, "text/html"), (200, "application/json")])
    func `an answer that does not come from Mortise exits with 3`(_ status: Int, _ type: String) async throws {
        try await ScriptedServer.with({ _ in .answer(status, "<html>", type: type) }) { server in
            let outcome = try await Program.call("key", "get", Sample.id, "--operator", at: server)
            #expect(outcome.code == 3)
            #expect(outcome.errors.contains("Is --url right?"))
        }
    }

    @Test func `a session that does not exist and a status that is refused name the next step`() async throws {
        try await ScriptedServer.with({ request in
            request.method == "DELETE"
                ? Sample.problem(404, "not_found", "Not here.") : Sample.problem(403, "forbidden", "No.")
        }) { server in
            let session = try await Program.call("session", "end", "zzz", at: server)
            #expect(session.code == 1 && session.errors.contains("There is no session \"zzz\"."), "\(session.errors)")
            #expect(session.errors.contains("`mortise session list`"), "\(session.errors)")
            let status = try await Program.call("status", at: server)
            #expect(status.code == 1 && status.errors.contains("This needs an operator key."), "\(status.errors)")
        }
    }

    @Test func `a refused connection tells what to check`() async throws {
        // A port that was free a moment ago can be another test's.
        let url = "http://127.0.0.1:1"
        let outcome = try await Program.run(
            ["key", "list", "--operator", "--url", url],
            environment: ["MORTISE_TOKEN": "t"]
        )
        #expect(outcome.code == 3)
        #expect(outcome.errors.contains("connection refused") && outcome.errors.contains("mortise serve"))
    }

    @Test func `a request to a server that does not answer ends at the timeout`() async throws {
        try await ScriptedServer.with({ _ in .silence }) { server in
            // Long enough for the request to be sent.
            let limit = "\(Duration.seconds(1).onThisMachine.components.seconds)"
            let outcome = try await Program.call(
                "key",
                "disable",
                Sample.id,
                "--operator",
                "--timeout",
                limit,
                at: server
            )
            #expect(outcome.code == 3)
            #expect(outcome.errors.contains("did not answer within \(limit) s."))
            #expect(outcome.errors.contains("The server may have completed the request."))
        }
    }

    // The program creates the key for the request. Without the key in the message, the token would be lost.
    @Test(
        arguments: [
            (503, []), (500, []), (409, [("Retry-After", "1")]),
        ] as [(Int, [(String, String)])]
    )
    func `a refusal with an unknown outcome shows the idempotency key`(
        _ status: Int,
        _ headers: [(String, String)]
    ) async throws {
        let problem = #"{"detail":"Look again.","code":"x"}"#
        try await ScriptedServer.with({ _ in
            .answer(status, problem, type: "application/problem+json", headers: headers)
        }) { server in
            let outcome = try await Program.call("key", "create", "n", "--workspace", "w", "--show-token", at: server)
            #expect(outcome.code == 1)
            let key = try #require(server.requests.first?.header("Idempotency-Key").first)
            #expect(outcome.errors.contains("Look again."))
            #expect(outcome.errors.contains("--idempotency-key \(key)"))
            let get = try await Program.call("key", "get", Sample.id, "--workspace", "w", at: server)
            #expect(!get.errors.contains("may have completed"))
        }
    }

    @Test(arguments: [400, 409, 429])
    func `a refusal with a known outcome shows no idempotency key`(_ status: Int) async throws {
        try await ScriptedServer.with({ _ in Sample.problem(status, "x", "No.") }) { server in
            let outcome = try await Program.call("key", "create", "n", "--workspace", "w", "--show-token", at: server)
            #expect(outcome.code == 1 && !outcome.errors.contains("--idempotency-key"))
        }
    }

    // A 64-bit number of another language would arrive as another number.
    @Test(arguments: [
        #"{"id":12345678901234567890}"#, #"{"a":[{"b":0.12345678901234567890}]}"#, #"{"a":1e999}"#,
        #"{"a":9007199254740993.5}"#,
    ])
    func `metadata with a number that would lose digits is refused`(_ metadata: String) async throws {
        try await ScriptedServer.with(Sample.success) { server in
            let outcome = try await Program.call(
                "key",
                "update",
                Sample.id,
                "--operator",
                "--metadata",
                metadata,
                at: server
            )
            #expect(outcome.code == 64)
            #expect(outcome.errors.contains("more digits"), "\(outcome.errors)")
            #expect(server.requests.isEmpty)
        }
    }

    @Test(arguments: [
        "ftp://x", "keys.example.com", "https://u:p@keys.example.com", "https://k.example.com?x=1", "http://",
    ])
    func `a malformed URL is refused before anything is sent`(_ url: String) async throws {
        let outcome = try await Program.run(
            ["key", "list", "--operator", "--url", url],
            environment: ["MORTISE_TOKEN": "t"]
        )
        #expect(outcome.code == 64)
        #expect(outcome.errors.contains("--url"))
    }

    @Test(arguments: [
        ["key", "list"], ["key", "list", "--workspace", "w", "--operator"], ["key", "list", "--operator", "--client"],
        ["key", "list", "--operator", "--limit", "0"], ["key", "get", "--operator"], ["nothing"],
        ["key", "create", "n", "--workspace", "w", "--client", "--show-token"],
        ["key", "update", Sample.id, "--operator"],
        ["key", "update", Sample.id, "--operator", "--name", "n", "--clear", "name"],
        ["key", "update", Sample.id, "--workspace", "w", "--scope", "a:b", "--clear", "scopes"],
        ["key", "update", Sample.id, "--workspace", "w", "--metadata", "{"],
        ["key", "rotate", Sample.id, "--operator", "--show-token", "--grace", "soon"],
        ["key", "rotate", Sample.id, "--operator", "--show-token", "--grace", "31d"],
        ["member", "change", Sample.id, "--organization", "o"],
        ["member", "add", "a@example.com", "--organization", "o", "--role", "king"],
        ["session-issuer", "add", "i", "--organization", "o"],
        ["session-issuer", "add", "i", "--organization", "o", "--jwks-url", "u", "--jwks-file", "/f"],
        ["session-issuer", "add", "i", "--organization", "o", "--jwks", "/no/such/file"],
        ["session-issuer", "add", "i", "--organization", "o", "--jwks", "-", "--token-file", "-"],
        [
            "session-issuer", "add", "i", "--organization", "o", "--jwks-url", "u", "--manage-role", "r",
            "--no-manage-role",
        ],
        ["key", "create", "n", "--workspace", "w", "--show-token", "--expires-at", "tomorrow"],
        ["key", "create", "n", "--workspace", "w", "--show-token", "--metadata", "[]"],
        ["key", "events", Sample.id, "--workspace", "w", "--since", "yesterday"],
        ["member", "change", "m", "--organization", "o", "--name", "n", "--clear-name"],
        ["organization", "update", "o"], ["workspace", "update", "w"], ["verify", "--from", "a", "--batch", "b"],
        ["migrate", "--canary", "01979d2c-1c50-7cc5-9c1e-0f5f2a7f8a11"],
        ["key", "list", "--operator", "--wide", "--quiet"], ["key", "list", "--operator", "--wide", "--json"],
        ["key", "list", "--operator", "--ca-file", "/no/such/file"], ["session", "end"],
        ["session", "end", "s", "--others"],
        ["login", "a@example.com", "--token-file", "/f"], ["login"], ["key", "lsit", "--operator"],
        ["migrate", "--workspaces", "--status", "--canary", "01979d2c-1c50-7cc5-9c1e-0f5f2a7f8a11"],
        ["key", "list", "--operator", "--timeout", "0"], ["key", "list", "--operator", "--json", "--quiet"],
    ])
    func `a usage error exits with 64 and sends nothing`(_ arguments: [String]) async throws {
        try await ScriptedServer.with({ _ in .json("{}") }) { server in
            let outcome = try await Program.run(arguments, server: server, environment: ["MORTISE_TOKEN": "t"])
            #expect(outcome.code == 64)
            #expect(outcome.errors.hasPrefix("Error: "))
            #expect(server.requests.isEmpty)
        }
    }

    // The parser would show the usage of the whole program, which has nothing to do with the fault.
    @Test func `a fault that a command finds when it runs is told without the usage of the program`() async throws {
        try await ScriptedServer.with({ _ in .json("{}") }) { server in
            let arguments = ["key", "update", Sample.id, "--operator"]
            let outcome = try await Program.run(arguments, server: server, environment: ["MORTISE_TOKEN": "t"])
            #expect(outcome.code == 64)
            #expect(outcome.errors == "Error: There is nothing to change. Name at least one setting.\n")
        }
    }
}
