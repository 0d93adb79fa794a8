import JSON
import NIOHTTP1
import ServerTestSupport
import TestSupport
import Testing

/// The pages for operators, and the kind of session that opens them.
@Suite(.hangLimit) struct OperatorPageTests {
    /// Signs an operator in.
    private static func signIn(_ browser: Browser, _ token: String) async throws -> Browser.Page {
        let page = try await browser.get("/console/platform/sign-in")
        return try await browser.post("/console/platform/sign-in", [("csrf", try page.field("csrf")), ("key", token)])
    }

    @Test func `an operator key opens the platform's pages and no page of members, and the other way round`()
        async throws
    {
        try await withConsole { console in
            let browser = console.browser()
            let signedIn = try await Self.signIn(browser, console.mortise.operatorToken)
            #expect(signedIn.status == 303 && signedIn.location == "/console/platform/")
            #expect(try await browser.get("/console/platform/").status == 200)
            #expect(try await browser.get("/console/").location == "/console/sign-in")
            let cookie = try #require(signedIn.headers["Set-Cookie"].first { $0.hasPrefix("__Host-mortise-operator=") })
            #expect(cookie.hasSuffix("; Secure; HttpOnly; SameSite=Strict; Path=/"))
            #expect(!cookie.contains(console.mortise.operatorToken))
            let owner = try await console.browser("ada@example.org", "owner")
            let refused = try await owner.get("/console/platform/workspaces")
            #expect(refused.location == "/console/platform/sign-in?next=%2Fconsole%2Fplatform%2Fworkspaces")
        }
    }

    @Test func `no other credential opens the platform's pages`() async throws {
        try await withConsole { console in
            let member = try await console.mortise.session("ada@example.org", "owner")
            for credential in [console.mortise.adminToken, member, "", "mko_live_x"] {
                let page = try await Self.signIn(console.browser(), credential)
                #expect(page.status == 401)
                #expect(page.element("alert")?.contains("not the token of an operator key") == true)
            }
            // A member's cookie under the operators' name.
            let browser = try await console.browser("eve@example.org", "admin")
            browser.set("__Host-mortise-operator", browser.cookies["__Host-mortise"])
            #expect(try await browser.get("/console/platform/").status == 303)
        }
    }

    // Every organization has a workspace "Default", and suspending the wrong one stops somebody's keys.
    @Test func `the list of all workspaces names the organization of each`() async throws {
        try await withConsole { console in
            let api = console.mortise.api
            let made = try await api.post("/v1/organizations", ["name": "Other"], as: console.mortise.operatorToken)
            #expect(made.status == 201)
            let page = try await console.operatorBrowser().get("/console/platform/workspaces")
            for owner in ["default", "other"] {
                #expect(page.text.contains(">\(owner)</a>/default</span>"), "\(owner)")
                #expect(page.text.contains("aria-label=\"Suspend Default of \(owner)\""), "\(owner)")
            }
        }
    }

    // The attack: a key with a limit signs in, and its cookie has none.
    @Test func `an operator's session has no more uses than its key`() async throws {
        try await withConsole { console in
            let made = try await console.mortise.api.post(
                "/v1/operator-keys",
                ["name": "slow", "rate_limit_per_hour": 3],
                as: console.mortise.operatorToken
            )
            let browser = console.browser()
            #expect(try await Self.signIn(browser, try made.string("token")).status == 303)
            for _ in 0..<2 { #expect(try await browser.get("/console/platform/").status == 200) }
            for _ in 0..<2 { #expect(try await browser.get("/console/platform/").status == 429) }
        }
    }

    // An operator whose key is revoked must not go on with an open page.
    @Test func `an operator's session ends with the key`() async throws {
        try await withConsole { console in
            let made = try await console.mortise.api.post(
                "/v1/operator-keys",
                ["name": "second"],
                as: console.mortise.operatorToken
            )
            let browser = console.browser()
            _ = try await Self.signIn(browser, try made.string("token"))
            let page = try await browser.get("/console/platform/new-organization")
            let id = try made.string("key", "id")
            let revoked = try await console.mortise.api.post(
                "/v1/operator-keys/\(id)/revoke",
                as: console.mortise.operatorToken
            )
            #expect(revoked.status == 200)
            let fields = [("csrf", try page.field("csrf")), ("ticket", try page.field("ticket")), ("name", "Late")]
            let late = try await browser.post("/console/platform/new-organization", fields)
            #expect(late.status == 401 && late.text.contains("action=\"/console/platform/sign-in\""))
            let list = try await console.mortise.api.get("/v1/organizations", as: console.mortise.operatorToken)
            #expect(!list.text.contains("Late"))
        }
    }

    // A click on the wrong button locked all users of a customer's application out.
    @Test func `an issuer is removed after a page that says what breaks, and only with its name`() async throws {
        try await withConsole { console in
            let browser = try await console.operatorBrowser()
            let (page, issuer) = ("/console/platform/organizations/default", "https://clerk.example.com")
            let new = [("issuer", issuer), ("jwks_url", "\(issuer)/jwks.json"), ("authorized_parties", "")]
            let added = try await browser.submit(page, to: "\(page)/session-issuers", new)
            #expect(added.location == "\(page)?done=issuer-added", "\(added.text)")
            let list = try await browser.get(page)
            let organization = try await console.mortise.api.get(
                "/v1/organizations/default",
                as: console.mortise.operatorToken
            )
            let base = "/console/platform/organizations/\(try organization.string("id"))"
            let form = "<form method=\"get\" action=\"\(base)/session-issuers/"
            let removal =
                "\(base)/session-issuers/\(try #require(list.text.components(after: form)).prefix { $0 != "\"" })"
            let asked = try await browser.get(removal)
            #expect(asked.status == 200 && asked.text.contains("no user of the application can see or change"))
            #expect(asked.text.contains("Enter <b><bdi>\(issuer)</bdi></b>."))
            for wrong in ["", "https://other.example.com"] {
                let refused = try await browser.submit(removal, to: removal, [("confirmation", wrong)])
                #expect(refused.status == 422 && refused.text.contains("id=\"confirmation-fault\""), "\(wrong)")
            }
            #expect(try await browser.get(page).text.contains("Stop trusting \(issuer)"))
            let csrf = ("csrf", try asked.field("csrf"))
            let confirmed = try await browser.post(removal, [csrf, ("confirmation", issuer)])
            #expect(confirmed.location == "\(page)?done=issuer-removed", "\(confirmed.text)")
            #expect(try await !browser.get(page).text.contains("Stop trusting"))
            // The same form in another tab.
            for again in [
                try await browser.post(removal, [csrf, ("confirmation", issuer)]), try await browser.get(removal),
            ] {
                #expect(again.status == 404)
                #expect(again.element("alert")?.contains("There is no session issuer with this id here.") == true)
                #expect(again.text.contains("href=\"\(base)#issuers\">Show the session issuers</a>"))
            }
        }
    }

    @Test func `an organization is made once for each form, and its token is shown once`() async throws {
        try await withConsole { console in
            let browser = console.browser()
            _ = try await Self.signIn(browser, console.mortise.operatorToken)
            let page = try await browser.get("/console/platform/new-organization")
            let fields = [("csrf", try page.field("csrf")), ("ticket", try page.field("ticket")), ("name", "Globex")]
            let made = try await browser.post("/console/platform/new-organization", fields)
            #expect(made.status == 201 && made.text.token?.hasPrefix("mka_") == true)
            let again = try await browser.post("/console/platform/new-organization", fields)
            #expect(again.text.token == nil)
            let list = try await console.mortise.api.get(
                "/v1/organizations?query=globex",
                as: console.mortise.operatorToken
            )
            #expect(list["data"]?.array?.count == 1)
            let cross = [("Origin", "https://evil.example")]
            #expect(try await browser.post("/console/platform/new-organization", fields, headers: cross).status == 403)
            let checked = try await browser.get("/console/platform/migrations?check=1")
            #expect(checked.element("status")?.contains("All are current.") == true)
        }
    }
}
