import JSON
import Keys
import Locks
import NIOHTTP1
import Postgres
import Server
import ServerTestSupport
import Surfaces
import TestSupport
import Testing

/// The binding of a sign-in to one browser and to one time.
@Suite(.hangLimit) struct ProviderFlowTests {
    private let ada = TestProvider.Person("sub-ada", email: "ada@example.org")

    private func expectStale(_ page: Browser.Page, at location: SourceLocation = #_sourceLocation) {
        #expect(page.status == 400, "\(page.text)", sourceLocation: location)
        #expect(page.element("alert")?.contains("Start again.") == true, sourceLocation: location)
        #expect(!page.headers["Set-Cookie"].contains { $0.hasPrefix("__Host-mortise=") }, sourceLocation: location)
    }

    // The attack: a page makes a browser bring the attacker's callback, so that its user works in the attacker's account.
    @Test func `a callback of another browser begins no session`() async throws {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            let (attacker, victim) = (console.browser(), console.browser())
            let callback = try provider.signIn(ada, at: try await attacker.startAtProvider())
            expectStale(try await victim.follow(callback))
            // The victim has a sign-in of its own under way.
            _ = try await victim.startAtProvider()
            expectStale(try await victim.follow(callback))
            #expect(provider.count("/token") == 0)
        }
    }

    // The attack: somebody reads the address from a log or a history, and has a copy of the cookie, and the provider exchanges codes twice.
    @Test func `a callback works once, also with a copy of the cookie`() async throws {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            provider.lie { $0.acceptsCodesTwice = true }
            let (browser, thief) = (console.browser(), console.browser())
            let callback = try provider.signIn(ada, at: try await browser.startAtProvider())
            let copy = browser.cookies["__Host-mortise-oidc"]
            #expect(try await browser.follow(callback).status == 200)
            expectStale(try await browser.follow(callback))
            thief.set("__Host-mortise-oidc", copy)
            expectStale(try await thief.get(callback))
            #expect(provider.count("/token") == 1)
        }
    }

    // The person clicks twice, or a thief is as fast as the person, and the provider exchanges codes twice.
    @Test func `of two callbacks at once, one begins a session`() async throws {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            provider.lie { $0.acceptsCodesTwice = true }
            let browser = console.browser()
            let callback = try provider.signIn(ada, at: try await browser.startAtProvider())
            let cookie = try #require(browser.cookies["__Host-mortise-oidc"])
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        let copy = console.browser()
                        copy.set("__Host-mortise-oidc", cookie)
                        return try await copy.get(callback).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }.sorted()
            }
            #expect(statuses == [200, 400])
        }
    }

    // The attack: a code of one sign-in is put into the callback of another, which has another challenge of PKCE.
    @Test func `a code of another sign-in is refused`() async throws {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            let (thief, victim) = (console.browser(), console.browser())
            let stolen = try provider.signIn(ada, at: try await victim.startAtProvider())
            let own = try provider.signIn(
                TestProvider.Person("sub-x", email: "x@example.org"),
                at: try await thief.startAtProvider()
            )
            let state = try #require(own.components(after: "&state="))
            let code = try #require(stolen.components(after: "code=")).prefix { $0 != "&" }
            let page = try await thief.follow("/console/oidc/callback?code=\(code)&state=\(state)")
            #expect(page.status == 502 && thief.cookies["__Host-mortise"] == nil)
        }
    }

    // The attack: any site sends the browser to the callback while a sign-in is under way, to make it fail. Two tabs do the same by
    // accident.
    @Test func `a callback that is not of the sign-in leaves the sign-in as it is`() async throws {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            let browser = console.browser()
            let first = try provider.signIn(ada, at: try await browser.startAtProvider())
            let second = try provider.signIn(ada, at: try await browser.startAtProvider())
            expectStale(try await browser.follow("/console/oidc/callback"))
            expectStale(
                try await browser.follow("/console/oidc/callback?code=x&state=\(String(repeating: "0", count: 64))")
            )
            expectStale(try await browser.follow(first))
            #expect(provider.count("/token") == 0)
            #expect(try await browser.follow(second).status == 200)
        }
    }

    // The attack: somebody begins sign-ins and makes codes up, so that Mortise sends the provider a request for each.
    @Test func `refused sign-ins of an address are limited, and reach the provider no more`() async throws {
        try await withProvider {
            $0.clients = ClientAddresses(trusting: [AddressRange(containing: .v4(0x7F00_0001), prefixLength: 8)])
        } _: { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            func refuse(_ address: String) async throws -> Int {
                let browser = console.browser()
                let callback = try provider.signIn(ada, at: try await browser.startAtProvider())
                let state = try #require(callback.components(after: "&state="))
                return
                    try await browser.get(
                        "/console/oidc/callback?code=made-up&state=\(state)",
                        headers: [("X-Forwarded-For", address)]
                    )
                    .status
            }
            for _ in 0..<100 { #expect(try await refuse("192.0.2.1") == 502) }
            #expect(provider.count("/token") == 100)
            #expect(try await refuse("192.0.2.1") == 429)
            #expect(provider.count("/token") == 100)
            // The sign-in that was not looked at is not used up.
            let browser = console.browser()
            let callback = try provider.signIn(ada, at: try await browser.startAtProvider())
            #expect(try await browser.get(callback, headers: [("X-Forwarded-For", "192.0.2.1")]).status == 429)
            #expect(try await browser.get(callback, headers: [("X-Forwarded-For", "192.0.2.3")]).status == 200)
            // Others sign in as before.
            #expect(try await refuse("192.0.2.2") == 502)
            #expect(try await console.browser().signIn(ada, with: provider).status == 200)
            // Each address leaves a trace, and no more than one a minute.
            let refusals = try await console.mortise.rows(
                console.mortise.installation.control,
                """
                SELECT changes ->> 'reason' FROM auth.key_events
                WHERE type = 'session.refused' AND changes ->> 'scope' = 'address' ORDER BY 1
                """
            )
            let reasons = try refusals.map { try $0.decode(0, as: String.self) }
            #expect(reasons == ["not_completed", "not_completed", "too_many_attempts"])
        }
    }

    @Test func `a sign-in that took longer than ten minutes starts again`() async throws {
        let now = Locked(TestProvider.now)
        try await withProvider {
            $0.providerTime = { Timestamp(microsecondsSinceUnixEpoch: now.withLock { $0 } * 1_000_000) }
        } _: { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            let browser = console.browser()
            let callback = try provider.signIn(ada, at: try await browser.startAtProvider())
            now.withLock { $0 += 600 }
            expectStale(try await browser.follow(callback))
        }
    }

    // The attack: the cookie is changed, so that the sign-in ends on another page or lasts longer.
    @Test func `a cookie that the server did not sign begins no session`() async throws {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            let browser = console.browser()
            let callback = try provider.signIn(ada, at: try await browser.startAtProvider())
            let parts = try #require(browser.cookies["__Host-mortise-oidc"]).split(separator: ".").map(String.init)
            for forged in [
                [parts[0] + "0", parts[1], parts[2], parts[3]],
                [parts[0], parts[1], "L2NvbnNvbGUvbWVtYmVycw", parts[3]],
                [parts[0], parts[1], parts[2], String(repeating: "0", count: 64)], Array(parts.prefix(3)), [],
            ] {
                let thief = console.browser()
                thief.set("__Host-mortise-oidc", forged.joined(separator: "."))
                expectStale(try await thief.get(callback))
            }
            #expect(try await browser.follow(callback).status == 200)
        }
    }

    // The attack: a page of another site presses the button.
    @Test func `a sign-in starts only from the console's own page`() async throws {
        try await withProvider { console, _ in
            let browser = console.browser()
            let form = try await browser.get("/console/sign-in")
            let fields = [("csrf", try form.field("csrf")), ("next", "/console/")]
            let foreign = try await browser.post(
                "/console/oidc",
                fields,
                headers: [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")]
            )
            #expect(foreign.status == 403)
            #expect(try await console.browser().post("/console/oidc", fields).status == 403)
        }
    }

    // The attack: one of two providers that a client knows sends a code of the other (RFC 9207).
    @Test func `the issuer in the answer must be the provider's, and must be there if the provider announces it`()
        async throws
    {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            #expect(
                try await console.browser().signIn(ada, with: provider, issuer: "https://evil.example").status == 502
            )
            #expect(try await console.browser().signIn(ada, with: provider, issuer: provider.url).status == 200)
            #expect(try await console.browser().signIn(ada, with: provider).status == 200)
        }
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            try await provider.lie(to: console) {
                $0.metadata = [("authorization_response_iss_parameter_supported", true)]
            }
            #expect(try await console.browser().signIn(ada, with: provider).status == 502)
            #expect(provider.count("/token") == 0)
            #expect(try await console.browser().signIn(ada, with: provider, issuer: provider.url).status == 200)
        }
    }

    // The attack: an address with an error of the attacker's words, which the console would show.
    @Test func `an error of the provider is shown by its code alone`() async throws {
        try await withProvider { console, provider in
            let browser = console.browser()
            func callback(_ error: String) async throws -> Browser.Page {
                let callback = try provider.signIn(ada, at: try await browser.startAtProvider())
                let state = try #require(callback.components(after: "&state="))
                return try await browser.follow(
                    "/console/oidc/callback?error=\(error)&error_description=Dial+it+now&state=\(state)"
                )
            }
            let denied = try await callback("access_denied")
            #expect(denied.status == 403 && denied.text.contains("(access_denied)") && !denied.text.contains("Dial it"))
            let words = try await callback("Dial%20it%20now")
            #expect(words.status == 403 && !words.text.contains("Dial it"))
        }
    }
}
