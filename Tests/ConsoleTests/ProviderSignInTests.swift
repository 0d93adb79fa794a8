import JSON
import NIOHTTP1
import ServerTestSupport
import TestSupport
import Testing

/// Signing in with an OpenID provider that keeps the protocol.
@Suite(.hangLimit) struct ProviderSignInTests {
    private let ada = TestProvider.Person("sub-ada", email: "Ada@Example.org")

    @Test func `a member signs in with the provider, and is where it wanted to go`() async throws {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            let browser = console.browser()
            let page = try await browser.get("/console/sign-in")
            #expect(page.text.contains("Sign in with <bdi>Acme</bdi>"))
            let policy = try #require(page.headers.first(name: "Content-Security-Policy"))
            #expect(policy.contains("form-action 'self' \(provider.url);"))
            let answer = try await browser.signIn(ada, with: provider, next: "/console/members?q=x")
            #expect(answer.status == 200 && answer.onward == "/console/members?q=x", "\(answer.text)")
            #expect(try await browser.get("/console/members?q=x").status == 200)
            // Other pages send forms to the console alone.
            let own = try await browser.get("/console/").headers.first(name: "Content-Security-Policy")
            #expect(own?.contains("form-action 'self';") == true)
        }
    }

    // The fault: some providers compare the pair in `Authorization` without decoding it, and refuse a secret that the encoding changes.
    @Test(arguments: [
        (["client_secret_basic"], false),
        (["client_secret_post"], true),
        (["client_secret_basic", "client_secret_post"], true),
        (["private_key_jwt", "client_secret_post", "client_secret_basic"], false),
    ])
    func `the provider gets a client secret with any characters by a method that it announces`(
        methods: [String],
        comparesEncodedPairs: Bool
    ) async throws {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            try await provider.lie(to: console) {
                let announced = JSONValue.array(methods.map(JSONValue.string))
                $0.metadata = [("token_endpoint_auth_methods_supported", announced)]
                $0.comparesEncodedPairs = comparesEncodedPairs
            }
            let answer = try await console.browser().signIn(ada, with: provider)
            #expect(answer.status == 200, "\(methods): \(answer.text)")
        }
    }

    // The attack: another site makes the browser bring a callback. Only the flow's own cookie may come with it.
    @Test
    func `the cookie of a sign-in comes with the provider's link, for ten minutes, and that of the session does not`()
        async throws
    {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            let browser = console.browser()
            let form = try await browser.get("/console/sign-in")
            let start = try await browser.post(
                "/console/oidc",
                [("csrf", try form.field("csrf")), ("next", "/console/")]
            )
            let flow = try #require(start.headers["Set-Cookie"].first { $0.hasPrefix("__Host-mortise-oidc=") })
            #expect(flow.hasSuffix("; Secure; HttpOnly; SameSite=Lax; Path=/; Max-Age=600"))
            let answer = try await browser.follow(try provider.signIn(ada, at: try #require(start.onward)))
            let session = try #require(answer.headers["Set-Cookie"].first { $0.hasPrefix("__Host-mortise=") })
            #expect(session.hasSuffix("; Secure; HttpOnly; SameSite=Strict; Path=/"))
            #expect(
                answer.headers["Set-Cookie"]
                    .contains { $0.hasPrefix("__Host-mortise-oidc=; ") && $0.hasSuffix("Max-Age=0") }
            )
            #expect(browser.cookies["__Host-mortise-oidc"] == nil)
        }
    }

    // The attack: the provider gives a member's address to another person later, for example to a successor.
    @Test func `after the first sign-in a member is known by the subject, whatever the address is`() async throws {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            _ = try await console.mortise.addMember("eve@example.org", "member")
            let browser = console.browser()
            #expect(try await browser.signIn(ada, with: provider).status == 200)
            // The same subject with no address, an unverified one, and that of another member.
            for person in [
                TestProvider.Person("sub-ada", email: nil),
                TestProvider.Person("sub-ada", email: "eve@example.org", isVerified: false),
                TestProvider.Person("sub-ada", email: "eve@example.org"),
            ] {
                let again = console.browser()
                #expect(try await again.signIn(person, with: provider).status == 200)
                #expect(try await again.get("/console/settings").text.contains("title=\"ada@example.org\""))
            }
            // Another subject with the same verified address.
            let thief = console.browser()
            let refused = try await thief.signIn(
                TestProvider.Person("sub-thief", email: "ada@example.org"),
                with: provider
            )
            #expect(refused.status == 403 && thief.cookies["__Host-mortise"] == nil)
            #expect(
                refused.element("alert")?
                    .contains("Another account of the identity provider signs in as ada@example.org") == true
            )
        }
    }

    // The attack: somebody with any account at the provider tries to get in.
    @Test func `somebody who is no member gets a sentence and no account`() async throws {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            let browser = console.browser()
            let page = try await browser.signIn(TestProvider.Person("sub-x", email: "x<b>@example.org"), with: provider)
            #expect(page.status == 403 && browser.cookies["__Host-mortise"] == nil)
            #expect(page.text.contains("No member has the address x&lt;b&gt;@example.org."))
            let list = try await console.mortise.api.get(
                "/v1/organizations/default/members",
                as: console.mortise.adminToken
            )
            #expect(list["data"]?.array?.count == 1)
        }
    }

    // The attack: somebody registers a member's address at the provider, and never proves to control it.
    @Test func `an address that the provider does not verify binds nobody, and leaves an event`() async throws {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            for verified in [false, "true", 1, nil] as [JSONValue?] {
                let browser = console.browser()
                let person = TestProvider.Person("sub-thief", email: "ada@example.org", isVerified: verified)
                let page = try await browser.signIn(person, with: provider)
                #expect(page.status == 403 && browser.cookies["__Host-mortise"] == nil)
                #expect(page.element("alert")?.contains("does not say that your e-mail address is verified") == true)
            }
            let events = try await console.mortise.api.get(
                "/v1/organizations/default/events?type=session.refused",
                as: console.mortise.adminToken
            )
            #expect(events.text.contains("email_not_verified"))
            #expect(try await console.browser().signIn(ada, with: provider).status == 200)
        }
    }

    // OpenID Connect Core section 5.4: with a code, a provider may tell the address beside the ID token alone.
    @Test func `an address beside the ID token counts if it is about the same subject`() async throws {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            provider.lie {
                $0.tellsAddressBesides = true
                $0.otherSubject = "sub-other"
            }
            // The attack: an access token of one person was exchanged for that of another.
            #expect(try await console.browser().signIn(ada, with: provider).status == 502)
            provider.lie { $0.otherSubject = nil }
            #expect(try await console.browser().signIn(ada, with: provider).status == 200)
        }
    }

    @Test func `an owner separates an account from a member, and the next account takes its place`() async throws {
        try await withProvider { console, provider in
            let member = try await console.mortise.addMember("ada@example.org", "admin")
            let old = console.browser()
            #expect(try await old.signIn(ada, with: provider).status == 200)
            let owner = try await console.browser("olga@example.org", "owner")
            let path = "/console/members/\(member.id)"
            let page = try await owner.get(path)
            #expect(page.text.contains("sub-ada") && page.text.contains("Separate the account"))
            let done = try await owner.submit(path, to: "\(path)/unbind")
            #expect(done.location == "\(path)?done=unbound")
            // The session of the old account has ended, because somebody else can have it.
            #expect(try await old.get("/console/").status == 303)
            let new = TestProvider.Person("sub-new", email: "ada@example.org")
            #expect(try await console.browser().signIn(new, with: provider).status == 200)
            #expect(try await console.browser().signIn(ada, with: provider).status == 403)
            // The old page is about the first account, and does not separate the second one.
            let shown = [("csrf", try page.field("csrf")), ("shown_account", try page.field("shown_account"))]
            let late = try await owner.post("\(path)/unbind", shown)
            #expect(late.status == 409 && late.text.contains("sub-new"))
            #expect(late.element("alert")?.contains("signs in with another account now") == true)
            let events = try await owner.get("/console/events").text
            #expect(
                events.contains("First sign-in with the identity provider")
                    && events.contains("Separated from the identity provider")
            )
        }
    }

    // The attack: an admin, or a key of one, opens the way for an account of its own to a member.
    @Test func `only an owner or an operator separates an account`() async throws {
        try await withProvider { console, provider in
            let member = try await console.mortise.addMember("eve@example.org", "member")
            let person = TestProvider.Person("sub-eve", email: "eve@example.org")
            #expect(try await console.browser().signIn(person, with: provider).status == 200)
            let api = console.mortise.api
            let admin = try await console.mortise.session("adam@example.org", "admin")
            for caller in [admin, console.mortise.adminToken] {
                #expect(try await api.send("DELETE", "\(member.path)/identity", as: caller).status == 403)
            }
            let browser = console.browser()
            try await browser.signIn("adam@example.org")
            let page = "/console/members/\(member.id)"
            #expect(try await !browser.get(page).text.contains("Separate the account"))
            #expect(try await browser.submit(page, to: "\(page)/unbind").status == 403)
            #expect(try await api.get(member.path, as: admin)["user"]?["identity"]?["subject"]?.string == "sub-eve")
            #expect(
                try await api.send("DELETE", "\(member.path)/identity", as: console.mortise.operatorToken).status == 204
            )
            #expect(
                try await api.send("DELETE", "\(member.path)/identity", as: console.mortise.operatorToken).status == 409
            )
            #expect(try await api.get(member.path, as: admin)["user"]?["identity"]?.isNull == true)
        }
    }

    // A person who left must be out, whatever the provider still says.
    @Test func `removing a member ends the sessions that the provider began, and the next sign-in is refused`()
        async throws
    {
        try await withProvider { console, provider in
            let member = try await console.mortise.addMember("ada@example.org", "admin")
            let browser = console.browser()
            #expect(try await browser.signIn(ada, with: provider).status == 200)
            #expect(try await browser.get("/console/").status == 200)
            #expect(
                try await console.mortise.api.send("DELETE", member.path, as: console.mortise.adminToken).status == 204
            )
            #expect(try await browser.get("/console/").status == 303)
            #expect(try await console.browser().signIn(ada, with: provider).status == 403)
        }
    }

    @Test func `a link from another site to the sign-in page asks for the cookie first, once`() async throws {
        try await withProvider { console, _ in
            let browser = try await console.browser("ada@example.org", "owner")
            let link = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")]
            for path in ["/console/sign-in", "/console/platform/"] {
                let page = try await browser.get(path, headers: link, onlyLax: true)
                #expect(page.status == 200 && page.onward == path && !page.text.contains("Acme"))
            }
            // The attack: a link whose path a browser takes for a host of that name.
            for path in ["//console/sign-in", "//console/members"] {
                #expect(try await browser.get(path, headers: link, onlyLax: true).onward == nil, "\(path)")
            }
            let again = try await browser.get(
                "/console/sign-in",
                headers: [("Sec-Fetch-Site", "same-origin")],
                onlyLax: true
            )
            #expect(again.status == 200 && again.text.contains("Acme"))
        }
    }

    // The attack: a link to the sign-in page whose target is elsewhere, for a page that looks like the console.
    @Test func `a sign-in with the provider ends at the console, whatever target a link had`() async throws {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            for next in [
                "//evil.example/", "https://evil.example/", "/\\evil.example", "/console/\r\nSet-Cookie: a=b",
                "javascript:alert(1)", "/console/sign-in", "",
            ] {
                let page = try await console.browser().signIn(ada, with: provider, next: next)
                #expect(page.status == 200 && page.onward == "/console/", "\(next)")
            }
        }
    }

    // The attack: somebody reads the log, which operators collect on other machines.
    @Test func `a sign-in leaves nothing in the log that anybody could sign in with`() async throws {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            let stranger = TestProvider.Person("sub-x", email: "x@example.org")
            for (person, status) in [(ada, 200), (stranger, 403)] {
                let browser = console.browser()
                let callback = try provider.signIn(person, at: try await browser.startAtProvider())
                let flow = try #require(browser.cookies["__Host-mortise-oidc"])
                #expect(try await browser.follow(callback).status == status)
                let log = console.mortise.log.text
                let query = try #require(callback.components(after: "?"))
                let secrets = flow.split(separator: ".").filter { $0.count > 20 }.map(String.init)
                #expect(secrets.count == 2)
                for secret in secrets + query.split(separator: "&").map(String.init) {
                    #expect(!log.contains(secret), "\(secret)")
                }
                for text in ["eyJ", "at-code-", TestProvider.secret] { #expect(!log.contains(text), "\(text)") }
                if let session = browser.cookies["__Host-mortise"] { #expect(!log.contains(session)) }
            }
            // The collector keeps every line, so the requests are there.
            #expect(console.mortise.log.text.contains("consoleProviderCallback"))
        }
    }

    @Test func `without a provider there is no button and no callback`() async throws {
        try await withConsole { console in
            let browser = console.browser()
            let page = try await browser.get("/console/sign-in")
            #expect(page.status == 200 && !page.text.contains("/console/oidc"))
            #expect(try await browser.get("/console/oidc/callback?code=a&state=b").status == 404)
        }
    }
}
