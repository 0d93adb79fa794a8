import AsyncHTTPClient
import HTTPTestSupport
import JSON
import NIOCore
import NIOHTTP1
import Service
import TestSupport
import Testing

/// `mortise login --browser`, which receives a code on the loopback (RFC 8252).
@Suite(.hangLimit) struct BrowserLoginTests {
    private static let session = """
        {"access_token":"access-1","token_type":"Bearer","expires_in":900,"expires_at":"2030-01-31T12:34:56Z",\
        "refresh_token":"refresh-1","session_id":"s-1","organization_id":"o-1",\
        "user":{"id":"u-1","email":"ada@example.com","name":"Ada","has_password":false},"memberships":[]}
        """

    /// The address that the program printed.
    private struct Printed {
        let port: Int
        let challenge: String
        let state: String
        let letters: String

        init?(_ text: String) {
            guard let match = text.firstMatch(of: #/port=(\d+)&challenge=([\w-]+)&state=(\w+)\n/#),
                let letters = text.firstMatch(of: #/the letters ([A-Z]{4}-[A-Z]{4})\./#), let port = Int(match.1)
            else { return nil }
            (self.port, challenge, state) = (port, String(match.2), String(match.3))
            self.letters = String(letters.1)
        }
    }

    /// Runs the command against a server, and hands the printed address to the body.
    private func withLogin(
        _ reply: @escaping @Sendable (SeenRequest) -> Reply = { _ in .answer(201, Self.session) },
        _ body: (RunningProgram, Printed, ScriptedServer, HTTPClient) async throws -> Void
    ) async throws {
        try await TemporaryFolder.with { home in
            try await ScriptedServer.with(reply) { server in
                let variables = ["HOME": home, "MORTISE_URL": server.url]
                _ = try await RunningProgram.with(["login", "--browser"], variables, in: home) { program in
                    var printed: Printed?
                    try await eventually("the address is printed") {
                        printed = Printed(program.log)
                        return printed != nil || program.hasEnded
                    }
                    let found = try #require(printed, "\(program.log)")
                    let client = HTTPClient(eventLoopGroupProvider: .singleton)
                    do {
                        try await body(program, found, server, client)
                        try await client.shutdown()
                    } catch {
                        try? await client.shutdown()
                        throw error
                    }
                }
            }
        }
    }

    private func visit(
        _ printed: Printed,
        _ target: String,
        _ client: HTTPClient,
        host: String? = nil,
        method: String = "GET"
    ) async throws -> UInt {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(printed.port)\(target)")
        request.method = .init(rawValue: method)
        if let host { request.headers.replaceOrAdd(name: "Host", value: host) }
        return try await waiting(for: "an answer of the listener") { [request] in
            try await client.execute(request, timeout: .hours(1)).status.code
        }
    }

    @Test func `a login through the browser exchanges its code with the verifier, and keeps the session`() async throws
    {
        try await withLogin { program, printed, server, client in
            #expect(printed.letters == SessionService.comparison(of: printed.challenge))
            #expect(try await visit(printed, "/?code=c-1&state=\(printed.state)", client) == 200)
            try await program.waitForEnd()
            #expect(program.output.contains("Logged in as ada@example.com"), "\(program.log)")
            let seen = try #require(server.requests.first)
            #expect(seen.method == "POST" && seen.uri == "/v1/sessions/code" && seen.header("authorization") == [])
            let body = try JSONValue(parsing: seen.body.utf8)
            let verifier = try #require(body["code_verifier"]?.string)
            #expect(body["code"]?.string == "c-1" && SessionService.challenge(of: verifier) == printed.challenge)
            // The verifier is the secret of the program.
            #expect(!program.log.contains(verifier) && !program.output.contains("access-1"))
        }
    }

    // The attack: a page in the browser, or another program, brings a code of the attacker's own account, so that the user works there;
    // a page of a host name that leads to the loopback; requests that only look like the console's.
    @Test func `a request without the state ends nothing, and the true one still counts`() async throws {
        try await withLogin { program, printed, server, client in
            let state = printed.state
            for target in [
                "/", "/?code=evil", "/?code=evil&state=", "/?code=evil&state=\(String(state.reversed()))0",
                "/?state=\(state)",
                "/?code=evil&state=\(state)&state=\(state)", "/?code=evil&code=c&state=\(state)",
                "/other?code=evil&state=\(state)",
            ] {
                #expect(try await visit(printed, target, client) == 404, "\(target)")
            }
            let good = "/?code=evil&state=\(state)"
            #expect(try await visit(printed, good, client, host: "rebound.example:\(printed.port)") == 404)
            #expect(try await visit(printed, good, client, method: "POST") == 404)
            #expect(server.requests.isEmpty && !program.hasEnded)
            #expect(try await visit(printed, "/?code=c-1&state=\(state)", client) == 200)
            try await program.waitForEnd()
            #expect(server.requests.count == 1 && server.requests.first?.body.contains("c-1") == true)
        }
    }

    @Test func `a code that the server refuses is an error, and no profile`() async throws {
        let problem =
            #"{"type":"about:blank","title":"Unauthorized","status":401,"code":"unauthorized","detail":"The code is late."}"#
        try await withLogin { _ in
            .answer(401, problem, type: "application/problem+json")
        } _: { program, printed, _, client in
            #expect(try await visit(printed, "/?code=c-1&state=\(printed.state)", client) == 200)
            try await program.waitForEnd()
            #expect(
                !program.output.contains("Logged in") && program.log.contains("The code is late."),
                "\(program.log)"
            )
        }
    }

    @Test func `a login through the browser needs an address that a browser can open`() async throws {
        try await TemporaryFolder.with { home in
            let outcome = try await Program.run(
                ["login", "--browser", "--url", "http+unix://%2Frun%2Fmortise.sock"],
                environment: ["HOME": home]
            )
            #expect(outcome.code == 64 && outcome.errors.contains("A browser cannot open"), "\(outcome.everything)")
        }
    }

    @Test func `a login through the browser takes no other credential`() async throws {
        for flags in [["ada@example.com"], ["--organization", "o"], ["--token-file", "f"], ["--password-file", "f"]] {
            let outcome = try await Program.run(["login", "--browser"] + flags)
            #expect(outcome.code == 64 && outcome.errors.contains("Use --browser without"))
        }
    }
}
