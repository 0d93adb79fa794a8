import JSON
import NIOHTTP1
import Server
import ServerTestSupport
import TestSupport
import Testing

/// Requests that a page of another site makes a browser send, and what a page can load.
@Suite(.hangLimit) struct ForgeryTests {
    private static let newKey = "/console/workspaces/default/keys/new"

    private static func hasKey(_ console: ConsoleHarness, _ name: String) async throws -> Bool {
        let list = try await console.mortise.api.get(
            "/v1/workspaces/default/service-keys",
            as: console.mortise.adminToken
        )
        return list.text.contains("\"\(name)\"")
    }

    // The attacks: a form on another site, on a sibling host, in a sandboxed frame, by a program without a browser's fields, and fields
    // that contradict each other.
    @Test(arguments: [
        [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")],
        [("Origin", "https://evil.example")],
        [("Sec-Fetch-Site", "cross-site")],
        [("Sec-Fetch-Site", "same-site")],
        [("Sec-Fetch-Site", "none")],
        [("Origin", "null")],
        [("Origin", "null"), ("Sec-Fetch-Site", "cross-site")],
        [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "same-origin")],
        [],
    ])
    func `a form from elsewhere changes nothing, even with the session's own token`(headers: [(String, String)])
        async throws
    {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let page = try await browser.get(Self.newKey)
            let fields = [
                ("csrf", try page.field("csrf")), ("ticket", try page.field("ticket")), ("name", "forged"),
                ("ends", "never"),
            ]
            let answer = try await browser.post(Self.newKey, fields, headers: headers)
            #expect(answer.status == 403)
            #expect(answer.element("alert")?.contains("did not come from a page of this console") == true)
            #expect(try await !Self.hasKey(console, "forged"))
            let own = try await browser.post(Self.newKey, fields)
            #expect(own.status == 201)
        }
    }

    // Chromium sends `Origin: null` from one's own form if the page hides its origin.
    @Test func `a hidden origin passes only where the browser vouches for the site`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let page = try await browser.get(Self.newKey)
            let fields = [
                ("csrf", try page.field("csrf")), ("ticket", try page.field("ticket")), ("name", "own"),
                ("ends", "never"),
            ]
            let headers = [("Origin", "null"), ("Sec-Fetch-Site", "same-origin")]
            #expect(try await browser.post(Self.newKey, fields, headers: headers).status == 201)
        }
    }

    // A page of the console's own origin that was planted there, or an old tab: the token is missing, of another session, or changed.
    @Test func `a form needs the token of its own session`() async throws {
        try await withConsole { console in
            let ada = try await console.browser("ada@example.org", "owner")
            let eve = try await console.browser("eve@example.org", "admin")
            let other = try await eve.get(Self.newKey).field("csrf")
            let page = try await ada.get(Self.newKey)
            let own = try page.field("csrf")
            for token in [nil, "", other, own.uppercased(), String(own.dropLast()), own + "0"] {
                let fields =
                    (token.map { [("csrf", $0)] } ?? []) + [
                        ("ticket", try page.field("ticket")), ("name", "forged"), ("ends", "never"),
                    ]
                let answer = try await ada.post(Self.newKey, fields)
                #expect(answer.status == 403, "\(token ?? "none")")
            }
            #expect(try await !Self.hasKey(console, "forged"))
        }
    }

    // A person signs in again in another tab, and sends the form of the first one: everything that was typed was lost.
    @Test func `a form from before the sign-in changes nothing, keeps its entries, and can be sent again`() async throws
    {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let old = try await browser.get(Self.newKey)
            try await browser.signInAgain("ada@example.org")
            let typed = [
                ("name", "from <before>"), ("description", "Typed for long"), ("scopes", "read:a\r\nread:b"),
                ("addresses", ""), ("mode", "live"), ("type", "service"), ("ends", "never"),
            ]
            let hidden = [("csrf", try old.field("csrf")), ("ticket", try old.field("ticket"))]
            let refused = try await browser.post("/" + Self.newKey, hidden + typed)
            #expect(refused.status == 403)
            #expect(refused.element("alert")?.contains("has changed nothing") == true)
            #expect(refused.text.contains("action=\"\(Self.newKey)\"") && refused.text.contains("ada@example.org"))
            #expect(
                refused.text.contains(
                    "<dt><bdi>Allowed addresses</bdi></dt><dd class=\"break lines\"><span class=\"dim\">Empty"
                )
            )
            #expect(try await !Self.hasKey(console, "from <before>"))
            let form = try #require(refused.text.components(after: "action=\"\(Self.newKey)\""))
            let fields = form.hiddenFields
            #expect(Set(fields.map(\.0)) == Set((hidden + typed).map(\.0)))
            let created = try await browser.post(Self.newKey, fields)
            #expect(created.status == 201 && created.text.token != nil)
            let list = try await console.mortise.api.get(
                "/v1/workspaces/default/service-keys",
                as: console.mortise.adminToken
            )
            #expect(list.text.contains("Typed for long") && list.text.contains("read:b"))

            // The page with the token is loaded again after another sign-in: the form has done its work.
            try await browser.signInAgain("ada@example.org")
            let reloaded = try await browser.post(Self.newKey, fields)
            #expect(reloaded.status == 403 && reloaded.text.contains(">Send again<"))
            let again = try #require(reloaded.text.components(after: "action=\"\(Self.newKey)\""))
            let second = try await browser.post(Self.newKey, again.hiddenFields)
            #expect(second.status == 422 && second.text.token == nil)
            #expect(second.element("alert")?.contains("This form was sent before") == true)
        }
    }

    // The attacks: a page of another site, and a page that was made for somebody else, or for another organization, whose entries would
    // do there what nobody asked for.
    @Test func `a form from elsewhere or of somebody else cannot be sent again`() async throws {
        try await withConsole { console in
            let ada = try await console.browser("ada@example.org", "owner")
            let eve = try await console.browser("eve@example.org", "admin")
            let fields = [("name", "forged"), ("ends", "never")]
            let old = [("csrf", try await ada.get(Self.newKey).field("csrf"))]
            let ofEve = [("csrf", try await eve.get(Self.newKey).field("csrf"))]
            try await ada.signInAgain("ada@example.org")
            let cross = [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")]
            for answer in [
                try await ada.post(Self.newKey, old + fields, headers: cross),
                try await ada.post(Self.newKey, ofEve + fields),
                try await ada.post(Self.newKey, old + [("confirmation", "CI")] + fields),
                try await ada.post(Self.newKey, old + [("token", "a-typed-secret")] + fields),
                try await ada.post(Self.newKey, old),
                try await ada.post(Self.newKey, fields),
            ] {
                #expect(answer.status == 403 && !answer.text.contains(">Send again<"), "\(answer.text)")
                #expect(!answer.text.contains("a-typed-secret"))
            }
            // The same person in another organization.
            let (api, admin) = (console.mortise.api, console.mortise.operatorToken)
            let made = try await api.post("/v1/organizations", ["name": "Other"], as: admin)
            let other = try made.string("organization", "id")
            let member: JSONValue = ["email": "ada@example.org", "role": "owner"]
            #expect(try await api.post("/v1/organizations/\(other)/members", member, as: admin).status == 201)
            let page = try await ada.get("/console/members")
            let ofFirst = [
                ("csrf", try page.field("csrf")), ("email", "bob@example.org"), ("role", "admin"), ("workspace", ""),
            ]
            let moved = try await ada.submit("/console/", to: "/console/organization", [("organization", other)])
            #expect(moved.location == "/console/", "\(moved)")
            let elsewhere = try await ada.post("/console/members", ofFirst)
            #expect(elsewhere.status == 403 && !elsewhere.text.contains(">Send again<"))
            let home = try await api.get("/v1/organizations/default", as: admin).string("id")
            let back = try await ada.submit("/console/", to: "/console/organization", [("organization", home)])
            #expect(back.location == "/console/")
            let kept = try await ada.post(Self.newKey, old + fields)
            #expect(kept.status == 403 && kept.text.contains(">Send again<"))
        }
    }

    @Test func `an operator's form from before the sign-in keeps its entries, too`() async throws {
        try await withConsole { console in
            let path = "/console/platform/new-organization"
            let first = try await console.operatorBrowser()
            let old = [("csrf", try await first.get(path).field("csrf"))]
            let browser = try await console.operatorBrowser()
            let refused = try await browser.post(path, old + [("name", "Acme"), ("slug", ""), ("token_prefix", "")])
            #expect(refused.status == 403 && refused.text.contains(">Send again<"))
            let form = try #require(refused.text.components(after: "action=\"\(path)\""))
            let made = try await browser.post(path, form.hiddenFields)
            #expect(made.status == 201 || made.status == 303, "\(made.text)")
        }
    }

    // A person types for long, and the session ends meanwhile. The sign-in page led to an empty form.
    @Test func `a form from before the end of its session is shown again after the sign-in, to the same person alone`()
        async throws
    {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            _ = try await console.mortise.addMember("eve@example.org", "admin")
            let old = try await browser.get(Self.newKey)
            let fields = [
                ("csrf", try old.field("csrf")), ("ticket", try old.field("ticket")), ("name", "typed & <long>"),
                ("scopes", "read:a\r\nread:b"), ("mode", "live"), ("type", "service"), ("ends", "never"),
            ]
            _ = try await browser.submit("/console/settings", to: "/console/sign-out")
            let click = try await browser.post(Self.newKey, fields)
            #expect(click.status == 401 && click.element("status")?.contains("nothing was changed") == true)
            let wrong = try await Self.signIn(browser, click, ["email": "ada@example.org", "password": "wrong"])
            #expect(wrong.status == 401)
            let person = ["email": "ada@example.org", "password": ServerHarness.memberPassword]
            let shown = try await Self.signIn(browser, wrong, person)
            #expect(shown.status == 200 && shown.text.contains(">Send again<"), "\(shown.text)")
            #expect(try await !Self.hasKey(console, "typed & <long>"))
            let form = try #require(shown.text.components(after: "action=\"\(Self.newKey)\""))
            #expect(form.hiddenFields.filter { $0.0 == "scopes" }.map(\.1) == ["read:a\r\nread:b"])
            #expect(try await browser.post(Self.newKey, form.hiddenFields).status == 201)
            #expect(try await Self.hasKey(console, "typed & <long>"))

            // Somebody else at the same browser, with the page that was left open.
            let other = console.browser()
            let left = try await other.post(Self.newKey, fields)
            let somebody = ["email": "eve@example.org", "password": ServerHarness.memberPassword]
            let refused = try await Self.signIn(other, left, somebody)
            #expect(refused.status == 403 && !refused.text.contains(">Send again<"))
            #expect(!refused.text.contains("typed &amp;"))
        }
    }

    // A sign-in opens the organization of the oldest role, and the form was of another one.
    @Test func `a form of another organization of the person is shown in that organization`() async throws {
        try await withConsole { console in
            let mortise = console.mortise
            let browser = try await console.browser("ada@example.org", "owner")
            let other = try await mortise.makeOrganization("Other")
            let body: JSONValue = ["email": "ada@example.org", "role": "owner"]
            let added = try await mortise.api.post(
                "/v1/organizations/\(other.id)/members",
                body,
                as: mortise.operatorToken
            )
            #expect(added.status == 201, "\(added)")
            let moved = try await browser.submit("/console/", to: "/console/organization", [("organization", other.id)])
            #expect(moved.status == 303)
            let old = try await browser.get("/console/webhooks/new")
            let fields = [
                ("csrf", try old.field("csrf")), ("ticket", try old.field("ticket")),
                ("description", "typed elsewhere"),
            ]
            _ = try await browser.submit("/console/settings", to: "/console/sign-out")
            let click = try await browser.post("/console/webhooks/new", fields)
            let person = ["email": "ada@example.org", "password": ServerHarness.memberPassword]
            let shown = try await Self.signIn(browser, click, person)
            #expect(shown.status == 200 && shown.text.contains("typed elsewhere"), "\(shown.text)")
            #expect(shown.text.contains(">Send again<") && shown.text.contains("Other"))
        }
    }

    // A secret in a hidden field would be in the page, and so would what somebody confirmed.
    @Test func `a form with a secret or a confirmation, and a very long one, is not kept over the sign-in`()
        async throws
    {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let csrf = ("csrf", try await browser.get("/console/members").field("csrf"))
            _ = try await browser.submit("/console/settings", to: "/console/sign-out")
            let long = String(repeating: "x", count: 40_000)
            for fields in [
                [("email", "bob@example.org"), ("password", "a secret of bob")],
                [("email", "bob@example.org"), ("confirmation", "a secret of bob")],
                [("name", "a secret of bob"), ("description", long)], [("organization", "a secret of bob")],
            ] {
                let answer = try await browser.post("/console/members", [csrf] + fields)
                #expect(answer.status == 303 && !answer.text.contains("a secret of bob"), "\(fields[0])")
            }
        }
    }

    @Test func `an operator's form from before the end of its session is shown again, too`() async throws {
        try await withConsole { console in
            let path = "/console/platform/new-organization"
            let operators = try await console.operatorBrowser()
            let old = [("csrf", try await operators.get(path).field("csrf"))]
            let browser = console.browser()
            let click = try await browser.post(path, old + [("name", "Acme"), ("slug", ""), ("token_prefix", "")])
            #expect(click.status == 401)
            let shown = try await Self.signIn(
                browser,
                click,
                ["key": console.mortise.operatorToken],
                "/console/platform"
            )
            #expect(shown.status == 200 && shown.text.contains(">Send again<"), "\(shown.text)")
            let form = try #require(shown.text.components(after: "action=\"\(path)\""))
            let made = try await browser.post(path, form.hiddenFields)
            #expect(made.status == 201 || made.status == 303, "\(made.text)")
        }
    }

    /// Sends the form of a page for the sign-in.
    private static func signIn(
        _ browser: Browser,
        _ page: Browser.Page,
        _ credential: [String: String],
        _ part: String = "/console"
    ) async throws -> Browser.Page {
        let form = try #require(page.text.components(after: "action=\"\(part)/sign-in\""))
        return try await browser.post("\(part)/sign-in", form.hiddenFields + credential.map { ($0.key, $0.value) })
    }

    // A password in a hidden field would be in the page, and a form without it would do something else.
    @Test func `a form with a password from before the sign-in is not kept`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let old = try await browser.get("/console/members")
            try await browser.signInAgain("ada@example.org")
            let fields = [
                ("csrf", try old.field("csrf")), ("ticket", try old.field("ticket")), ("email", "bob@example.org"),
                ("role", "member"), ("workspace", ""), ("password", "a password for bob"),
            ]
            let refused = try await browser.post("/console/members", fields)
            #expect(refused.status == 403 && !refused.text.contains("a password for bob"))
            #expect(!refused.text.contains("bob@example.org"))
            #expect(refused.text.contains("href=\"/console/members\">Open the page again</a>"))
        }
    }

    // Somebody who is signed in as the attacker enters secrets into the attacker's account.
    @Test func `nobody can sign a browser in from another site, or without its own sign-in page`() async throws {
        try await withConsole { console in
            _ = try await console.mortise.addMember("eve@example.org", "admin")
            let attacker = console.browser()
            let token = try await attacker.get("/console/sign-in").field("csrf")
            let fields = [
                ("csrf", token), ("email", "eve@example.org"), ("password", ServerHarness.memberPassword),
                ("next", "/console/"),
            ]
            let victim = console.browser()
            #expect(try await victim.post("/console/sign-in", fields).status == 403)
            _ = try await victim.get("/console/sign-in")
            #expect(try await victim.post("/console/sign-in", fields).status == 403)
            let cross = [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")]
            #expect(try await attacker.post("/console/sign-in", fields, headers: cross).status == 403)
            #expect(victim.cookies["__Host-mortise"] == nil && attacker.cookies["__Host-mortise"] == nil)
        }
    }

    // A page loads and embeds nothing from elsewhere, and nobody embeds it.
    @Test func `every page forbids foreign and inline code, embedding and storing`() async throws {
        let policy = """
            default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; \
            frame-ancestors 'none'; base-uri 'none'
            """
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let created = try await browser.createKey("policy")
            for page in [
                try await console.browser().get("/console/sign-in"), try await browser.get("/console/"), created,
                try await browser.get("/console/members"), try await browser.get("/console/nothing"),
                try await browser.get("/console/workspaces/absent"), try await browser.get("/console/settings"),
                try await browser.post(Self.newKey, []),
            ] {
                #expect(page.headers["Content-Security-Policy"] == [policy])
                #expect(page.headers["Cache-Control"] == ["no-store"])
                #expect(page.headers["Referrer-Policy"] == ["same-origin"])
                #expect(page.headers["X-Content-Type-Options"] == ["nosniff"])
                #expect(page.headers["Content-Type"] == ["text/html; charset=utf-8"])
                for part in [" style=\"", " onclick=", "<style", "<script>", "javascript:"] {
                    #expect(!page.text.contains(part), "\(part)")
                }
            }
        }
    }

    // Behind a proxy the Host can be the server's own, and the attacker chooses it in a request of their own.
    @Test func `behind a proxy the origin is the public URL, whatever the Host says`() async throws {
        try await withConsole { configuration in
            configuration.publicURL = "https://keys.example.com/"
        } _: { console in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            let browser = console.browser()
            let page = try await browser.get("/console/sign-in")
            let fields = [
                ("csrf", try page.field("csrf")), ("email", "ada@example.org"),
                ("password", ServerHarness.memberPassword),
            ]
            #expect(try await browser.post("/console/sign-in", fields).status == 403)
            let elsewhere = [("Origin", "https://evil.example"), ("Host", "evil.example")]
            #expect(try await browser.post("/console/sign-in", fields, headers: elsewhere).status == 403)
            let own = [("Origin", "https://keys.example.com")]
            #expect(try await browser.post("/console/sign-in", fields, headers: own).status == 303)
        }
    }

    @Test func `without a public URL, a server on another address says which setting it needs`() async throws {
        try await withConsole { console in
            let page = try await console.browser().get("/console/sign-in", headers: [("Host", "keys.example.com")])
            #expect(page.element("alert")?.contains("Set MORTISE_PUBLIC_URL") == true)
        }
    }
}
