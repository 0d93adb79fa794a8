import JSON
import NIOHTTP1
import Postgres
import ServerTestSupport
import Service
import TestSupport
import Testing

/// The sign-in of a program on the person's machine through the console (RFC 8252).
@Suite(.hangLimit) struct ProgramSignInTests {
    private let verifier = String(repeating: "v", count: 43)
    private let state = String(repeating: "s", count: 32)

    private func query(_ changes: [String: String] = [:]) -> String {
        let challenge = SessionService.challenge(of: verifier)
        let fields = ["port": "50000", "challenge": challenge, "state": state].merging(changes) { $1 }
        return fields.sorted { $0.key < $1.key }.map { "\($0.key)=\(FormText.encode($0.value))" }.joined(separator: "&")
    }

    /// Confirms in the browser, and returns the address on the loopback.
    private func confirm(_ browser: Browser) async throws -> String {
        let page = try await browser.get("/console/login?\(query())")
        let hidden = try ["csrf", "port", "challenge", "state"].map { ($0, try page.field($0)) }
        return try #require(try await browser.post("/console/login", hidden).onward)
    }

    private func exchange(_ code: String, _ verifier: String, _ console: ConsoleHarness) async throws -> Answer {
        let body: JSONValue = ["code": .string(code), "code_verifier": .string(verifier)]
        return try await console.mortise.api.post("/v1/sessions/code", body, as: nil)
    }

    private func code(_ address: String) throws -> String {
        String(try #require(address.components(after: "?code=")).prefix { $0 != "&" })
    }

    @Test func `a member confirms in the browser, and the program has a session of its own`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "admin")
            // Somebody who is not signed in yet comes back to the page.
            let target = "/console/login?\(query())"
            #expect(
                try await console.browser().get(target).location == "/console/sign-in?next=\(FormText.encode(target))"
            )
            let page = try await browser.get(target)
            #expect(page.text.contains(SessionService.comparison(of: SessionService.challenge(of: verifier))))
            let address = try await confirm(browser)
            #expect(address.hasPrefix("http://127.0.0.1:50000/?code=") && address.hasSuffix("&state=\(state)"))
            let answer = try await exchange(try code(address), verifier, console)
            #expect(answer.status == 201, "\(answer)")
            let token = try answer.string("access_token")
            #expect(try await console.mortise.api.get("/v1/me", as: token).status == 200)
            // The session of the browser is another one.
            _ = try await browser.submit("/console/", to: "/console/sign-out")
            #expect(try await console.mortise.api.get("/v1/me", as: token).status == 200)
        }
    }

    // The attack: a thief of a browser's cookie has programs confirmed with it, whose sessions would begin 30 new days.
    @Test func `a program's session ends no later than the one that confirmed it`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "admin")
            let control = console.mortise.installation.control
            try await console.mortise.script(
                control,
                """
                UPDATE control.sessions SET refresh_until = now() + interval '1 hour', expires_at = now() + interval '1 hour'
                """
            )
            let answer = try await exchange(try code(try await confirm(browser)), verifier, console)
            #expect(answer.status == 201, "\(answer)")
            let longer = try await console.mortise.rows(
                control,
                "SELECT 1 FROM control.sessions WHERE greatest(refresh_until, expires_at) > now() + interval '1 hour'"
            )
            #expect(longer.isEmpty)
        }
    }

    // The attack: another program on the machine reads the code, from the browser's history or because it took the port.
    @Test func `a code is worth nothing without the verifier`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "admin")
            let code = try code(try await confirm(browser))
            for wrong in [String(repeating: "w", count: 43), SessionService.challenge(of: verifier)] {
                #expect(try await exchange(code, wrong, console).status == 401)
            }
            #expect(try await exchange(code, verifier, console).status == 201)
        }
    }

    // The attack: somebody reads code and verifier from the program's memory or a trace, after the program has used them.
    @Test func `a code works once`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "admin")
            let code = try code(try await confirm(browser))
            #expect(try await exchange(code, verifier, console).status == 201)
            #expect(try await exchange(code, verifier, console).status == 401)
        }
    }

    // The attack: somebody with the browser's cookie exchanges codes again and again, so that one exchange is under way when the person
    // signs out everywhere else.
    @Test func `a session that begins while the others are ended ends, too`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "admin")
            let code = try code(try await confirm(browser))
            let (mortise, control) = (console.mortise, console.mortise.installation.control)
            let own = try await mortise.signIn("ada@example.org").access
            try await mortise.withConnection(control) { blocker in
                try await blocker.script("BEGIN; SELECT FROM control.organizations FOR UPDATE")
                async let exchanged = exchange(code, verifier, console)
                try await mortise.waiters(1, "the exchange waits")
                async let ended = mortise.api.send("DELETE", "/v1/me/sessions", as: own)
                try await mortise.waiters(2, "the end of the sessions waits for the exchange")
                try await blocker.script("COMMIT")
                let (session, answer) = try await (exchanged, ended)
                #expect(session.status == 201 && answer.status == 200, "\(session) \(answer)")
                let token = try session.string("access_token")
                #expect(try await mortise.api.get("/v1/me", as: token).status == 401)
                #expect(try await mortise.api.get("/v1/me", as: own).status == 200)
            }
        }
    }

    // The attack: a code is kept until its member was removed, or has signed out of everything.
    @Test func `a code ends with the session that confirmed it`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "admin")
            let code = try code(try await confirm(browser))
            _ = try await browser.submit("/console/", to: "/console/sign-out")
            #expect(try await exchange(code, verifier, console).status == 401)
        }
    }

    // The attack: somebody makes up a code, or puts the own challenge or another session into one.
    @Test func `a code that the server did not sign is refused`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "admin")
            let parts = try code(try await confirm(browser)).split(separator: ".").map(String.init)
            let other = String(repeating: "w", count: 43)
            var forged = parts
            forged[2] = SessionService.challenge(of: other)
            #expect(try await exchange(forged.joined(separator: "."), other, console).status == 401)
            #expect(try await exchange(parts.dropLast().joined(separator: "."), verifier, console).status == 401)
            let cookie = try #require(browser.cookies["__Host-mortise"])
            #expect(try await exchange(cookie, verifier, console).status == 401)
        }
    }

    private static let malformed: [[String: String]] = [
        ["port": "80"], ["port": "50000@evil.example"], ["port": "50000/"], ["port": ""], ["port": "050000"],
        ["port": "65536"], ["port": "50000&port=50001"], ["challenge": "short"], ["challenge": ""], ["state": "short"],
        ["state": "<script>alert(1)</script>"],
    ]

    // The attack: a link in a mail or a page that sends the code to a server of the attacker, or into a script.
    @Test func `a program chooses nothing but a port of this machine`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "admin")
            for changes in Self.malformed {
                let page = try await browser.get("/console/login?\(query(changes))")
                #expect(page.status == 400 && !page.text.contains("Sign in the program"), "\(changes)")
                #expect(!page.text.contains("<script>alert"))
            }
        }
    }

    // The attack: a page of another site confirms in the member's name, to hand the session to a program that already runs here.
    @Test func `only the console's own page confirms`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "admin")
            let page = try await browser.get("/console/login?\(query())")
            let fields = try ["csrf", "port", "challenge", "state"].map { ($0, try page.field($0)) }
            let foreign = try await browser.post(
                "/console/login",
                fields,
                headers: [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")]
            )
            #expect(foreign.status == 403)
            #expect(try await browser.post("/console/login", Array(fields.dropFirst())).status == 403)
            let policy = page.headers.first(name: "Content-Security-Policy")
            #expect(policy?.contains("frame-ancestors 'none'") == true)
        }
    }
}
