import JSON
import NIOHTTP1
import Postgres
import ServerTestSupport
import TestSupport
import Testing

/// Signing in and out, and the cookie of a session.
@Suite(.hangLimit) struct SignInTests {
    @Test func `the first address of the server leads a browser to the console, and the console to the sign-in`()
        async throws
    {
        try await withConsole { console in
            let browser = console.browser()
            let root = try await browser.get("/", headers: [("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")])
            #expect(root.status == 303 && root.location == "/console/")
            let program = try await console.mortise.api.send("GET", "/", as: nil, headers: [("Accept", "*/*")])
            #expect(program.status == 404)
            #expect(program["code"] == "not_found")
            let home = try await browser.get("/console/")
            #expect(home.status == 303 && home.location == "/console/sign-in")
            let deep = try await browser.get("/console/workspaces/default?status=active&q=a%20b")
            #expect(
                deep.location
                    == "/console/sign-in?next=%2Fconsole%2Fworkspaces%2Fdefault%3Fstatus%3Dactive%26q%3Da%2520b"
            )
        }
    }

    // Script in a page must not read the cookie, another site must not send it, and a network must not see it.
    @Test func `the session's cookie is kept from scripts, from other sites and from plain connections`() async throws {
        try await withConsole { console in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            let browser = console.browser()
            let page = try await browser.signIn("ada@example.org")
            #expect(page.status == 303 && page.location == "/console/")
            let cookie = try #require(page.headers["Set-Cookie"].first { $0.hasPrefix("__Host-mortise=") })
            let attributes = cookie.split(separator: ";").dropFirst().map { String($0.drop { $0 == " " }) }
            #expect(attributes == ["Secure", "HttpOnly", "SameSite=Strict", "Path=/"])
            #expect(try await browser.get("/console/").status == 200)
        }
    }

    // A thief of the cookie, or a page that makes a browser send it, must not reach the API by it.
    @Test func `the cookie is no credential of the API, and the API's token is none of the console`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let cookie = try #require(browser.cookies["__Host-mortise"])
            let api = console.mortise.api
            #expect(try await api.get("/v1/me", as: cookie).status == 401)
            let answer = try await api.send("GET", "/v1/me", as: nil, headers: [("Cookie", "__Host-mortise=\(cookie)")])
            #expect(answer.status == 401)
            let session = try await console.mortise.signIn("ada@example.org")
            let thief = console.browser()
            thief.set("__Host-mortise", session.access)
            #expect(try await thief.get("/console/").status == 303)
            let bearer = try await thief.get("/console/", headers: [("Authorization", "Bearer \(session.access)")])
            #expect(bearer.status == 303)
        }
    }

    // A cookie that an attacker changes or invents, and one that a sibling host has set beside the true one.
    @Test func `a cookie that the server did not sign opens nothing, and neither do two`() async throws {
        try await withConsole { console in
            let ada = try await console.browser("ada@example.org", "owner")
            let eve = try await console.browser("eve@example.org", "member")
            let (one, other) = (
                try #require(ada.cookies["__Host-mortise"]), try #require(eve.cookies["__Host-mortise"])
            )
            let (id, signature) = (one.prefix(36), other.dropFirst(37))
            for forged in ["\(id).\(signature)", "\(id)", "\(id).", "", "\(id).\(String(repeating: "0", count: 64))"] {
                eve.set("__Host-mortise", forged)
                #expect(try await eve.get("/console/").status == 303, "\(forged)")
            }
            let both = console.browser()
            let answer = try await both.get(
                "/console/",
                headers: [("Cookie", "__Host-mortise=\(one); __Host-mortise=\(other)")]
            )
            #expect(answer.status == 303)
        }
    }

    @Test func `a wrong password and an unknown address have the same page, and what was typed stays`() async throws {
        try await withConsole { console in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            let browser = console.browser()
            let wrong = try await browser.signIn("ada@example.org", "a wrong password")
            #expect(wrong.status == 401 && wrong.text.contains("value=\"ada@example.org\""))
            #expect(wrong.element("alert")?.contains("The address or the password is wrong.") == true)
            let unknown = try await browser.signIn("ida@example.org", "a wrong password")
            #expect(unknown.status == 401)
            #expect(unknown.element("alert") == wrong.element("alert"))
            #expect(!wrong.text.contains("a wrong password"))
        }
    }

    // `next` that leads to another site would make the sign-in page a help for phishing.
    @Test(arguments: [
        "https://evil.example/", "//evil.example/", "/\\evil.example/", "/console/\\..", "/console/../../evil",
        "/console/%2E%2e/evil", "javascript:alert(1)", "/v1/me", "/consoleevil/", "/console/sign-in",
        "/console/a\r\nSet-Cookie: x=y",
    ])
    func `after the sign-in a browser stays inside the console`(next: String) async throws {
        try await withConsole { console in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            let page = try await console.browser().signIn("ada@example.org", next: next)
            #expect(page.location == "/console/")
        }
    }

    @Test func `after the sign-in a browser is where it wanted to go`() async throws {
        try await withConsole { console in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            let page = try await console.browser().signIn("ada@example.org", next: "/console/members?q=x")
            #expect(page.location == "/console/members?q=x")
        }
    }

    // A person pressed a button after the session had ended, signed in, and found a page that says "Not found" or "Method not allowed".
    @Test func `after a sign-in the address of a form leads to its page`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let key = try await console.mortise.makeKey("CI")
            let eve = try await console.mortise.addMember("eve@example.org", "auditor")
            let (workspace, member) = ("/console/workspaces/default", "/console/members/\(eve.id)")
            for (form, page) in [
                ("/console/sign-out", "/console/"), ("/console/organization", "/console/"),
                ("\(workspace)/keys/bulk", workspace), ("\(workspace)/client-keys/bulk", "\(workspace)/client-keys"),
                ("/console/admin-keys/bulk", "/console/admin-keys"),
                ("\(workspace)/keys/\(key.id)/enable", "\(workspace)/keys/\(key.id)"),
                ("\(workspace)/settings/state", "\(workspace)/settings"),
                ("\(workspace)/settings/delete", "\(workspace)/settings"),
                ("\(member)/remove", member), ("\(member)/sign-out", member), ("\(member)/unbind", member),
                ("/console/settings/sessions/\(key.id)/end", "/console/settings"),
            ] {
                let answer = try await browser.get(form)
                #expect(answer.status == 303 && answer.location == page, "\(form): \(answer)")
            }
            let operators = try await console.operatorBrowser()
            let answer = try await operators.get("/console/platform/sign-out")
            #expect(answer.status == 303 && answer.location == "/console/platform/")
        }
    }

    // A copy of the cookie must be worth nothing after the sign-out.
    @Test func `signing out ends the session for every copy of its cookie`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let copy = console.browser()
            copy.set("__Host-mortise", browser.cookies["__Host-mortise"])
            #expect(try await copy.get("/console/").status == 200)
            let out = try await browser.submit("/console/", to: "/console/sign-out")
            #expect(out.status == 303 && browser.cookies["__Host-mortise"] == nil)
            #expect(try await copy.get("/console/").status == 303)
            let page = try await browser.get("/console/sign-in?done=out")
            #expect(page.element("status")?.contains("You are signed out.") == true)
        }
    }

    // The fault: the disk of the database was full, and nobody could look at the console.
    // A disk is full, or the change hangs.
    @Test(arguments: ["RAISE EXCEPTION 'full' USING ERRCODE = '53100'", "PERFORM pg_sleep(600)"])
    func `a session that cannot be extended goes on, and is extended later`(fault: String) async throws {
        try await withConsole { console in
            let mortise = console.mortise
            let control = mortise.installation.control
            let browser = try await console.browser("ada@example.org", "owner")
            try await mortise.script(
                control,
                """
                UPDATE control.sessions SET refresh_until = now() + interval '1 day';
                CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN \(fault); END $$;
                CREATE TRIGGER refuse BEFORE UPDATE ON control.sessions FOR EACH ROW EXECUTE FUNCTION public.refuse();
                """
            )
            let page = try await browser.get("/console/")
            #expect(page.status == 200, "\(page.text)")
            let extended = "SELECT 1 FROM control.sessions WHERE refresh_until > now() + interval '6 days'"
            #expect(try await mortise.rows(control, extended).isEmpty)
            try await mortise.script(control, "DROP TRIGGER refuse ON control.sessions")
            try await eventually("the session is extended") {
                let page = try await browser.get("/console/")
                #expect(page.status == 200, "\(page.text)")
                return try await mortise.rows(control, extended).count == 1
            }
        }
    }

    // The attack: a thief of a cookie changes the organization again and again, so that the session never ends.
    @Test func `a change of the organization does not lengthen a session`() async throws {
        try await withConsole { console in
            let mortise = console.mortise
            let browser = try await console.browser("ada@example.org", "owner")
            let other = try await mortise.makeOrganization("Other")
            _ = try await mortise.addMember(
                "ada@example.org",
                "owner",
                organization: "other",
                as: mortise.operatorToken
            )
            try await mortise.script(
                mortise.installation.control,
                """
                UPDATE control.sessions SET refresh_until = now() + interval '1 hour', expires_at = now() + interval '1 hour'
                """
            )
            let changed = try await browser.submit(
                "/console/",
                to: "/console/organization",
                [("organization", other.id)]
            )
            #expect(changed.status == 303 && changed.location == "/console/")
            let home = try await browser.get("/console/settings")
            #expect(home.status == 200 && home.text.contains(other.id))
            let longer = try await mortise.rows(
                mortise.installation.control,
                "SELECT 1 FROM control.sessions WHERE greatest(refresh_until, expires_at) > now() + interval '1 hour'"
            )
            #expect(longer.isEmpty)
        }
    }

    // A removed member must not go on with a page that is still open.
    @Test func `a session that ended between a page and a click changes nothing and says so`() async throws {
        try await withConsole { console in
            let member = try await console.mortise.addMember("eve@example.org", "admin")
            let browser = console.browser()
            try await browser.signIn("eve@example.org")
            let path = "/console/workspaces/default/keys/new"
            let page = try await browser.get(path)
            let fields = [("csrf", try page.field("csrf")), ("ticket", try page.field("ticket"))]
            let removed = try await console.mortise.api.send("DELETE", member.path, as: console.mortise.adminToken)
            #expect(removed.status == 204)
            let click = try await browser.post(path, fields + [("name", "late"), ("ends", "never")])
            #expect(click.status == 401)
            #expect(click.element("status")?.contains("Your session has ended, and nothing was changed.") == true)
            // A form without an entry is not kept.
            let empty = try await browser.post(path, fields)
            #expect(empty.status == 303)
            #expect(empty.location == "/console/sign-in?ended=1&next=%2Fconsole%2Fworkspaces%2Fdefault%2Fkeys%2Fnew")
            let list = try await console.mortise.api.get(
                "/v1/workspaces/default/service-keys",
                as: console.mortise.adminToken
            )
            #expect(!list.text.contains("late"))
            let signIn = try await browser.get(empty.location ?? "")
            #expect(signIn.element("status")?.contains("Your session has ended, and nothing was changed.") == true)
        }
    }

    // A link in a mail: the browser does not send a Strict cookie with it.
    @Test func `a link from another site leads to its page once more, and not to the sign-in`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let mail = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")]
            let arrival = try await console.browser().get("/console/members?q=%22x", headers: mail)
            #expect(arrival.status == 200)
            #expect(arrival.text.contains("http-equiv=\"refresh\" content=\"0; url=/console/members?q=%22x\""))
            let again = try await console.browser()
                .get("/console/members", headers: [("Sec-Fetch-Site", "same-origin")])
            #expect(again.status == 303)
            #expect(try await browser.get("/console/members", headers: mail).status == 200)
        }
    }
}
