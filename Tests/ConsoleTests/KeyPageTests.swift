import JSON
import NIOHTTP1
import ServerTestSupport
import TestSupport
import Testing

/// Keys in the console: their tokens, names, roles, and changes.
@Suite(.hangLimit) struct KeyPageTests {
    static let list = "/console/workspaces/default"
    private static let newKey = "/console/workspaces/default/keys/new"

    /// Returns the path of the only key.
    static func path(_ page: Browser.Page) throws -> String {
        let rest = try #require(page.text.components(after: "href=\"/console/workspaces/default/keys/0"))
        return "/console/workspaces/default/keys/0\(rest.prefix { $0 != "\"" })"
    }

    private static func count(_ console: ConsoleHarness) async throws -> Int {
        let list = try await console.mortise.api.get(
            "/v1/workspaces/default/service-keys",
            as: console.mortise.adminToken
        )
        return list["data"]?.array?.count ?? 0
    }

    // A reload, the way back, a cache and a history must not have the token.
    @Test func `a token is in exactly one answer, and the same form again makes no second key`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let page = try await browser.get(Self.newKey)
            let fields = [
                ("csrf", try page.field("csrf")), ("ticket", try page.field("ticket")), ("name", "CI"),
                ("mode", "live"),
                ("type", "service"), ("scopes", "read:invoices\r\nwrite:*"), ("ends", "30"),
            ]
            let created = try await browser.post(Self.newKey, fields)
            #expect(created.status == 201)
            let token = try #require(created.text.token)
            #expect(try await console.mortise.verify(token) == "valid")
            #expect(created.headers["Cache-Control"] == ["no-store"] && created.location == nil)
            let reload = try await browser.post(Self.newKey, fields)
            #expect(reload.status == 200 && reload.text.token == nil && !reload.text.contains(token))
            #expect(try await Self.count(console) == 1)
            let key = try Self.path(reload)
            for path in [key, Self.list, "\(key)/events", "/console/", Self.newKey] {
                #expect(try await !browser.get(path).text.contains(token), "\(path)")
            }
        }
    }

    // The accident: a program between the browser and the server damages the field, and a test key becomes a live one.
    @Test(arguments: [("mode", "tset"), ("type", "annon")])
    func `a damaged mode or type makes no key`(_ field: String, _ value: String) async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let refused = try await browser.createKey("CI", [(field, value)])
            #expect(refused.status == 422 && refused.text.contains("id=\"\(field)-fault\""))
            #expect(try await Self.count(console) == 0)
        }
    }

    @Test func `a rotation shows the new token once, and the same form again does not rotate`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let created = try await browser.createKey("CI")
            let key = try Self.path(created)
            let page = try await browser.get(key)
            let fields = [("csrf", try page.field("csrf")), ("ticket", try page.field("ticket")), ("grace", "3600")]
            let rotated = try await browser.post("\(key)/rotate", fields)
            let token = try #require(rotated.text.token)
            #expect(token != created.text.token)
            let again = try await browser.post("\(key)/rotate", fields)
            #expect(again.text.token == nil)
            #expect(try await console.mortise.verify(token) == "valid")
            #expect(try await console.mortise.verify(try #require(created.text.token)) == "valid")
            // The way back in the browser, and another grace period.
            let other = try await browser.post("\(key)/rotate", Array(fields.prefix(2)) + [("grace", "0")])
            #expect(other.status == 409 && !other.text.contains("Idempotency-Key"))
            let sentence = "This form was sent before. Send it again to rotate the key once more."
            #expect(other.element("alert")?.contains(sentence) == true, "\(other.text)")
            // The default would let the old token go on for a day.
            #expect(other.text.contains(#"value="0" checked"#) && !other.text.contains(#"value="86400" checked"#))
            let hidden = try ["csrf", "ticket", "shown_secret"].map { ($0, try other.field($0)) }
            let next = try await browser.post("\(key)/rotate", hidden + [("grace", "0")])
            let newest = try #require(next.text.token)
            #expect(newest != token)
            #expect(try await console.mortise.verify(newest) == "valid")
        }
    }

    @Test func `a rotation says what happens to the old token`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let key = try Self.path(try await browser.createKey("CI"))
            for (grace, text) in [
                ("3600", "The old token works until its grace period ends."),
                ("0", "The old token is refused from now on."),
            ] {
                let rotated = try await browser.submit(key, to: "\(key)/rotate", [("grace", grace)])
                #expect(rotated.text.contains(text), "\(grace)")
            }
        }
    }

    // A spreadsheet runs a cell that begins like a formula.
    @Test func `a file of keys has no formulas`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            for name in [
                "=HYPERLINK(\"https://evil.example\")", "+1", "-1", "@a", "plain, \"quoted\"", "a\"\u{301},=1+1",
            ] {
                #expect(try await browser.createKey(name).status == 201)
            }
            let file = try await browser.get("\(Self.list)/keys.csv")
            #expect(file.headers["Content-Type"] == ["text/csv; charset=utf-8"])
            #expect(file.headers["Content-Disposition"] == ["attachment; filename=\"default.csv\""])
            for cell in [
                "\"'=HYPERLINK(\"\"https://evil.example\"\")\"", "\"'+1\"", "\"'-1\"", "\"'@a\"",
                "\"plain, \"\"quoted\"\"\"", "\"a\"\"\u{301},=1+1\"",
            ] {
                #expect(Array(file.text.utf8).contains(Array(",\(cell),".utf8)), "\(cell) in \(file.text)")
            }
        }
    }

    // The file had ids where the list has names, so nobody could tell whose keys they are. A name is data in a spreadsheet, too.
    @Test func `a file of keys names the owners as the list does, without formulas, and has their ids beside`()
        async throws
    {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (api, token) = (console.mortise.api, console.mortise.adminToken)
            #expect(try await browser.createKey("of ada").status == 201)
            let ada = try await api.get("/v1/organizations/default/members?query=ada", as: token)
            let user = try #require(ada["data"]?.array?.first?["user"]?["id"]?.string)
            let formula: JSONValue = ["name": "=1+1", "permissions": ["keys:read", "keys:write"]]
            let admin = try await api.post("/v1/organizations/default/admin-keys", formula, as: token)
            let id = try admin.string("key", "id")
            _ = try await console.mortise.makeKey("of a program", as: try admin.string("token"))
            let file = try await browser.get("\(Self.list)/keys.csv").text
            #expect(file.contains("\"scopes\",\"owner\",\"owner_id\",\"created_at\""))
            #expect(file.contains(",\"ada@example.org\",\"member:\(user)\","), "\(file)")
            #expect(file.contains(",\"'=1+1\",\"admin-key:\(id)\","), "\(file)")

            _ = try await console.mortise.makeClientKey("of ada's phone", subject: user)
            _ = try await console.mortise.makeClientKey("of a customer", subject: "@customer")
            let clients = try await browser.get("\(Self.list)/client-keys.csv").text
            #expect(clients.contains(",\"ada@example.org\",\"\(user)\","), "\(clients)")
            #expect(clients.contains(",\"'@customer\",\"'@customer\","), "\(clients)")
        }
    }

    // A click on the wrong row must not end a key for good.
    @Test func `a final change needs the name of the key`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let created = try await browser.createKey("Pay\u{202E}roll  CI")
            let key = try Self.path(created)
            let token = try #require(created.text.token)
            for change in ["revoke", "delete"] {
                for wrong in ["", "payroll CI", "x"] {
                    let refused = try await browser.submit(
                        "\(key)/\(change)",
                        to: "\(key)/\(change)",
                        [("confirmation", wrong)]
                    )
                    #expect(refused.status == 422)
                    #expect(refused.text.contains("This is not the name of the key."))
                }
            }
            let long = String(repeating: "r", count: 2001)
            for (name, wrong) in [("x", ["reason", "confirmation"]), ("Payroll CI", ["reason"])] {
                let form = [("confirmation", name), ("reason", long)]
                let refused = try await browser.submit("\(key)/revoke", to: "\(key)/revoke", form)
                #expect(refused.status == 422 && refused.text.contains("value=\"\(long)\""))
                for field in ["reason", "confirmation"] {
                    let isWrong = wrong.contains(field)
                    #expect(refused.text.contains("id=\"revoke-\(field)-fault\"") == isWrong, "\(field), \(name)")
                    #expect(refused.text.contains("href=\"#revoke-\(field)\"") == isWrong, "\(field), \(name)")
                }
            }
            #expect(try await console.mortise.verify(token) == "valid")
            let fields = [("confirmation", "Payroll CI"), ("reason", "left the <team>")]
            let revoked = try await browser.submit("\(key)/revoke", to: "\(key)/revoke", fields)
            #expect(revoked.location == "\(key)?done=revoked")
            #expect(try await console.mortise.verify(token) == "revoked")
            #expect(try await browser.get(key).text.contains("left the &lt;team&gt;"))
            for change in ["rotate", "disable", "revoke"] {
                #expect(try await browser.get("\(key)/\(change)").location == key)
            }
            let deleted = try await browser.submit(
                "\(key)/delete",
                to: "\(key)/delete",
                [("confirmation", "Payroll CI")]
            )
            #expect(deleted.location == "\(Self.list)?done=deleted")
            #expect(try await browser.get(key).status == 404)
        }
    }

    @Test func `disabling and enabling take effect at once and say so`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let created = try await browser.createKey("CI")
            let (key, token) = (try Self.path(created), try #require(created.text.token))
            let disabled = try await browser.submit(key, to: "\(key)/disable")
            #expect(disabled.location == "\(key)?done=disabled")
            #expect(
                try await browser.get("\(key)?done=disabled").element("status")?.contains("The key is disabled.")
                    == true
            )
            #expect(try await console.mortise.verify(token) == "disabled")
            #expect(try await browser.submit(key, to: "\(key)/enable").location == "\(key)?done=enabled")
            #expect(try await console.mortise.verify(token) == "valid")
        }
    }

    @Test func `settings are saved, faults stand at their fields, and what was typed stays`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let key = try Self.path(try await browser.createKey("CI"))
            let settings = [
                ("edit", "1"), ("name", "CI 2"), ("description", "d"), ("scopes", "read:a\nread:b"),
                ("addresses", "10.0.0.0/8"),
                ("namespaces", "eu"), ("per_minute", "60"), ("per_hour", ""), ("ends", "never"),
            ]
            let saved = try await browser.submit(key, to: key, settings)
            #expect(saved.location == "\(key)?done=saved")
            let id = try #require(key.split(separator: "/").last)
            let path = "/v1/workspaces/default/service-keys/\(id)"
            let stored = try await console.mortise.api.get(path, as: console.mortise.adminToken)
            #expect(stored["name"] == "CI 2" && stored["scopes"] == ["read:a", "read:b"])
            #expect(stored["allowed_ips"] == ["10.0.0.0/8"] && stored["allowed_namespaces"] == ["eu"])
            #expect(stored["rate_limit_per_minute"] == 60 && stored["rate_limit_per_hour"] == .null)
            let wrong = settings.map { field in
                switch field.0 {
                case "scopes": ("scopes", "read everything")
                case "addresses": ("addresses", "10.0.0.1/8")
                case "per_minute": ("per_minute", "many")
                default: field
                }
            }
            let refused = try await browser.submit(key, to: key, wrong)
            #expect(refused.status == 422)
            for id in ["scopes-fault", "addresses-fault", "per_minute-fault"] {
                #expect(refused.text.contains("id=\"\(id)\""), "\(id)")
            }
            #expect(refused.text.contains(">read everything</textarea>") && refused.text.contains("value=\"many\""))
            let after = try await console.mortise.api.get(path, as: console.mortise.adminToken)
            #expect(after.comparable == stored.comparable)
        }
    }

    /// Returns the form of a key's settings as a page has it, with some fields changed.
    private static func settings(_ page: Browser.Page, _ changes: [String: String]) throws -> [(String, String)] {
        var fields = [("csrf", try page.field("csrf")), ("edit", "1"), ("ends", "never")]
        for hidden in ["present_end", "shown_permissions"] { fields.append((hidden, try page.field(hidden))) }
        for name in ["name", "description", "scopes", "addresses", "namespaces", "per_minute", "per_hour"] {
            let shown = try page.field("shown_\(name)")
            fields.append(("shown_\(name)", shown))
            fields.append((name, changes[name] ?? shown))
        }
        return fields
    }

    // The page in the other tab does not know the last change. Its old settings must not take away a limit, or give back an address.
    @Test func `an old page changes only what the person changed in it, and asks where others changed the same`()
        async throws
    {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let key = try Self.path(try await browser.createKey("CI", [("addresses", "10.0.0.0/8")]))
            let id = try #require(key.split(separator: "/").last)
            let path = "/v1/workspaces/default/service-keys/\(id)"
            let old = try await browser.get(key)
            let first = try await browser.post(key, try Self.settings(old, ["per_minute": "60", "description": "one"]))
            #expect(first.location == "\(key)?done=saved")
            let second = try await browser.post(key, try Self.settings(old, ["name": "CI 2"]))
            #expect(second.location == "\(key)?done=saved")
            let both = try await console.mortise.api.get(path, as: console.mortise.adminToken)
            #expect(both["name"] == "CI 2" && both["description"] == "one" && both["rate_limit_per_minute"] == 60)

            let current = try await browser.get(key)
            let narrower = try await browser.post(key, try Self.settings(current, ["addresses": "192.0.2.0/24"]))
            #expect(narrower.location == "\(key)?done=saved")
            let other = ["addresses": "198.51.100.0/24"]
            let refused = try await browser.post(key, try Self.settings(old, other))
            #expect(refused.status == 422 && refused.text.contains("id=\"addresses-fault\""))
            #expect(refused.text.contains("It is now \u{201C}192.0.2.0/24\u{201D}."))
            #expect(refused.text.contains(">198.51.100.0/24</textarea>"))
            let kept = try await console.mortise.api.get(path, as: console.mortise.adminToken)
            #expect(kept["allowed_ips"] == ["192.0.2.0/24"])
            let again = try await browser.post(key, try Self.settings(refused, other))
            #expect(again.location == "\(key)?done=saved")
            let replaced = try await console.mortise.api.get(path, as: console.mortise.adminToken)
            #expect(replaced["allowed_ips"] == ["198.51.100.0/24"] && replaced["rate_limit_per_minute"] == 60)
        }
    }

    @Test func `several keys are changed together after a list of what is meant`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            var tokens: [String] = []
            var fields: [(String, String)] = []
            for name in ["one", "two", "three"] {
                let created = try await browser.createKey(name)
                tokens.append(try #require(created.text.token))
                let id = try #require(try Self.path(created).split(separator: "/").last)
                if name != "three" { fields.append(("key.\(id)", "1")) }
            }
            let path = "\(Self.list)/keys/bulk"
            let asked = try await browser.submit(Self.list, to: path, fields + [("change", "revoke")])
            #expect(asked.status == 200 && asked.text.contains("these 2 keys"))
            #expect(asked.text.contains("<a href=\"\(Self.list)\"><bdi>"))
            let one = try await browser.submit(Self.list, to: path, [fields[0], ("change", "revoke")])
            #expect(one.text.contains("Whatever uses this key is refused") && one.text.contains("bring it back"))
            #expect(try await console.mortise.verify(tokens[0]) == "valid")
            let long = String(repeating: "r", count: 2001)
            let tooLong = fields + [("change", "revoke"), ("confirmed", "yes"), ("reason", long)]
            let refused = try await browser.submit(Self.list, to: path, tooLong)
            #expect(refused.status == 422 && refused.text.contains("id=\"reason-fault\""))
            #expect(refused.text.contains("href=\"#reason\"") && refused.text.contains("value=\"\(long)\""))
            for (name, _) in fields { #expect(refused.text.contains("name=\"\(name)\"")) }
            #expect(try await console.mortise.verify(tokens[0]) == "valid")
            let confirmed = fields + [("change", "revoke"), ("confirmed", "yes"), ("reason", "r")]
            let done = try await browser.submit(Self.list, to: path, confirmed)
            #expect(done.location == "\(Self.list)?done=keys-revoked")
            #expect(try await console.mortise.verify(tokens[0]) == "revoked")
            #expect(try await console.mortise.verify(tokens[1]) == "revoked")
            #expect(try await console.mortise.verify(tokens[2]) == "valid")
        }
    }

    @Test func `a tried token is explained, is not repeated, and does not count as a use`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let created = try await browser.createKey("CI", [("addresses", "192.0.2.0/24")])
            let (key, token) = (try Self.path(created), try #require(created.text.token))
            let tried = try await browser.submit(key, to: "\(key)/try", [("token", token), ("address", "192.0.2.7")])
            #expect(tried.element("status")?.contains("This token is accepted.") == true)
            #expect(!tried.text.contains(token))
            let elsewhere = try await browser.submit(key, to: "\(key)/try", [("token", token), ("address", "")])
            #expect(elsewhere.element("status")?.contains("wrong_address") == true)
            let malformed = try await browser.submit(key, to: "\(key)/try", [("token", "\(token)x")])
            #expect(malformed.element("status")?.contains("malformed") == true)
            #expect(try await browser.get(key).text.contains("<dd>Never</dd>"))
        }
    }

    @Test func `a tried token of a key whose limit is used up is refused, and a namespace can be named`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let created = try await browser.createKey("CI", [("per_hour", "1"), ("namespaces", "prod")])
            let (key, token) = (try Self.path(created), try #require(created.text.token))
            func tried(_ namespace: String) async throws -> String {
                let fields = [("token", token), ("address", ""), ("namespace", namespace)]
                return try await browser.submit(key, to: "\(key)/try", fields).element("status") ?? ""
            }
            for _ in 0..<3 { #expect(try await tried("prod").contains("This token is accepted.")) }
            #expect(try await tried("").contains("wrong_namespace"))
            let (api, admin) = (console.mortise.api, console.mortise.adminToken)
            let body: JSONValue = ["token": .string(token), "namespace": "prod"]
            #expect(try await api.post("/v1/verify", body, as: admin)["code"] == "valid")
            for _ in 0..<2 { #expect(try await tried("prod").contains("rate_limited")) }
        }
    }

    @Test func `what cannot be entered in the native API cannot be entered here`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let scopes = (0...100).map { "read:thing\($0)" }.joined(separator: "\n")
            let many = try await browser.createKey("many", [("scopes", scopes), ("namespaces", scopes)])
            #expect(many.status == 422 && many.text.contains("id=\"scopes-fault\""))
            #expect(many.text.contains("id=\"namespaces-fault\"") && many.text.contains("These are 101."))
            for name in ["\u{200B}", "\u{2800}\u{3164}", "\u{202E}\u{2060}"] {
                let unseen = try await browser.createKey(name)
                #expect(
                    unseen.status == 422 && unseen.text.contains("a visible character"),
                    "\(unseen.status)"
                )
            }
        }
    }

    @Test func `revoked keys are left out of what is to be disabled`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            var fields: [(String, String)] = []
            for name in ["one", "two"] {
                let id = try #require(try Self.path(try await browser.createKey(name)).split(separator: "/").last)
                fields.append(("key.\(id)", "1"))
            }
            let path = "\(Self.list)/keys/bulk"
            let revoked = [fields[0], ("change", "revoke"), ("confirmed", "yes"), ("reason", "")]
            #expect(try await browser.submit(Self.list, to: path, revoked).status == 303)
            let both = try await browser.submit(Self.list, to: path, fields + [("change", "disable")])
            #expect(both.text.contains("Left out: 1 selected key") && both.text.contains("Whatever uses this key"))
            let none = try await browser.submit(Self.list, to: path, [fields[0], ("change", "disable")])
            #expect(none.status == 400 && none.text.contains("which is final"), "\(none.status)")
        }
    }

    // The attack: a link in a mail says that a key is revoked, and it is not.
    @Test func `only a page of the console says what has happened`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let key = try Self.path(try await browser.createKey("CI"))
            for site in ["cross-site", "same-site", "none"] {
                let page = try await browser.get("\(key)?done=revoked", headers: [("Sec-Fetch-Site", site)])
                #expect(page.status == 200 && !page.text.contains("The key is revoked."))
            }
            // A browser sends no strict cookie with a link of another site, and loads the page again by itself.
            let link = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")]
            let arrival = try await browser.get("\(key)?done=revoked&range=day", headers: link, onlyLax: true)
            #expect(
                arrival.status == 200 && arrival.text.contains("\(key)?range=day") && !arrival.text.contains("done=")
            )
            let signIn = try await console.browser().get("\(key)?done=revoked")
            #expect(signIn.location?.contains("sign-in?next=") == true && signIn.location?.contains("done") == false)
            let forged = try await console.browser().get("/console/sign-in?next=%2Fconsole%2Fsettings%3Fdone%3Dsaved")
            #expect(try forged.field("next") == "/console/settings")
            let own = try await browser.get("\(key)?done=saved", headers: [("Sec-Fetch-Site", "same-origin")])
            #expect(own.text.contains("The changes are saved."))
        }
    }

    // The attack: somebody reads the address of a page, the history of a browser or the links of a page, after a token was pasted.
    @Test(arguments: [
        "/console/?q=", "/console/members?q=", "/console/events?type=created&actor=",
        "/console/workspaces/default/events?actor=", "/console/workspaces/default?q=", "//console/?q=",
    ])
    func `a token in an address is cut to its beginning`(_ target: String) async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let token = console.mortise.adminToken
            let page = try await browser.get(target + token)
            #expect(page.status == 303 && page.location?.contains(String(token.prefix(16))) == true)
            #expect(page.location?.contains(token) == false && page.location?.hasPrefix("/console/") == true)
            let shown = try await browser.get(try #require(page.location))
            #expect(shown.status == 200 && !shown.text.contains(token))
        }
    }

    // MARK: Roles

    @Test func `an auditor sees keys and history and can change nothing`() async throws {
        try await withConsole { console in
            let owner = try await console.browser("ada@example.org", "owner")
            let key = try Self.path(try await owner.createKey("CI"))
            let auditor = try await console.browser("aud@example.org", "auditor")
            let list = try await auditor.get(Self.list)
            #expect(list.status == 200 && list.text.contains(">CI<"))
            #expect(!list.text.contains("Create key") && !list.text.contains("Revoke keys"))
            let page = try await auditor.get(key)
            #expect(page.status == 200)
            for button in [">Rotate<", ">Disable<", ">Revoke<", ">Delete<", ">Save<", ">Try<"] {
                #expect(!page.text.contains(button), "\(button)")
            }
            #expect(!page.text.contains("href=\"/console/members\""))
            #expect(try await auditor.get(Self.newKey).status == 403)
            #expect(try await auditor.get("/console/members").status == 403)
            let csrf = try page.field("csrf")
            for change in ["disable", "enable", "revoke", "delete", "rotate", "try"] {
                let fields = [("csrf", csrf), ("confirmation", "CI"), ("grace", "0"), ("token", "x")]
                #expect(try await auditor.post("\(key)/\(change)", fields).status == 403, "\(change)")
            }
            #expect(try await auditor.post(key, [("csrf", csrf), ("edit", "1"), ("name", "x")]).status == 403)
        }
    }

    // A key that could do nothing was made without a word, and refused its program later.
    @Test func `an admin key needs a permission`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (list, new) = ("/console/admin-keys", "/console/admin-keys/new")
            let fields = [("name", "CI"), ("mode", "live"), ("ends", "never")]
            let none: [[(String, String)]] = [[], [("permission.nothing", "1")]]
            for permissions in none {
                let refused = try await browser.submit(new, to: new, fields + permissions)
                #expect(refused.status == 422 && refused.text.contains("Choose at least one permission."))
                #expect(refused.text.contains("id=\"permissions-fault\"") && refused.text.contains("value=\"CI\""))
            }
            let made = try await browser.submit(new, to: new, fields + [("permission.keys:read", "1")])
            #expect(made.status == 201)
            let rest = try #require(made.text.components(after: "href=\"\(list)/0"))
            let key = "\(list)/0\(rest.prefix { $0 != "\"" })"
            let page = try await browser.get(key)
            let hidden = try ["csrf", "shown_name", "shown_permissions"].map { ($0, try page.field($0)) }
            let without = try await browser.post(key, hidden + fields + [("edit", "1")])
            #expect(without.status == 422 && without.text.contains("id=\"permissions-fault\""))
            let other = [("edit", "1"), ("permission.events:read", "1")]
            let changed = try await browser.post(key, hidden + fields + other)
            #expect(changed.location == "\(key)?done=saved")
        }
    }

    // Another organization's key and one that does not exist must look the same.
    @Test func `a member reaches nothing of another organization`() async throws {
        try await withConsole { console in
            let owner = try await console.browser("ada@example.org", "owner")
            let key = try Self.path(try await owner.createKey("CI"))
            let made = try await console.mortise.api.post(
                "/v1/organizations",
                ["name": "Other"],
                as: console.mortise.operatorToken
            )
            let token = try made.string("token")
            _ = try await console.mortise.addMember("eve@example.org", "owner", organization: "other", as: token)
            let eve = console.browser()
            try await eve.signIn("eve@example.org")
            let id = try #require(key.split(separator: "/").last)
            let foreign = try await console.mortise.api.get("/v1/workspaces/default", as: console.mortise.adminToken)
            let workspace = try foreign.string("id")
            for path in [key, "/console/workspaces/\(workspace)", "/console/workspaces/\(workspace)/keys/\(id)"] {
                #expect(try await eve.get(path).status == 404, "\(path)")
            }
        }
    }

    // A member without permissions manages the own client keys and sees nothing else.
    @Test func `a member makes own client keys and is led to them`() async throws {
        try await withConsole { console in
            let member = try await console.browser("mem@example.org", "member")
            #expect(try await member.get(Self.list).location == "\(Self.list)/client-keys")
            let path = "\(Self.list)/client-keys/new"
            let page = try await member.get(path)
            #expect(page.status == 200 && !page.text.contains("name=\"subject\""))
            let created = try await member.submit(
                path,
                to: path,
                [("name", "mine"), ("mode", "live"), ("ends", "never")]
            )
            #expect(created.status == 201 && created.text.token?.hasPrefix("mkc_") == true)
            let list = try await member.get("\(Self.list)/client-keys")
            #expect(list.text.contains(">mine<"))
            // The subject is the id of the user, and people know the address.
            let owner = "<td class=\"wide-only clip\"><bdi>mem@example.org</bdi></td>"
            #expect(list.text.contains(owner))
            let admin = try await console.browser("ada@example.org", "admin")
            let whole = try await admin.get("\(Self.list)/client-keys")
            #expect(whole.text.contains(owner))
            for tab in ["Service keys", "History", "Workspace settings"] {
                #expect(!list.text.contains(">\(tab)</a>") && whole.text.contains(">\(tab)</a>"), "\(tab)")
            }
            #expect(try await member.get("/console/").text.contains("Your own client keys"))
            #expect(try await member.get("/console/admin-keys").status == 403)
            #expect(try await member.get("/console/events").status == 403)
        }
    }

    @Test func `no secret of a revoked key is the current one`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let key = try await console.mortise.makeKey("CI")
            let path = "/console/workspaces/default/keys/\(key.id)"
            #expect(try await browser.get(path).text.contains(">Current</span>"))
            let revoked = try await console.mortise.api.post("\(key.path)/revoke", as: console.mortise.adminToken)
            #expect(revoked.status == 200)
            #expect(try await !browser.get(path).text.contains(">Current</span>"))
        }
    }
}

extension ServerHarness {
    /// Returns the code of a token's verdict.
    func verify(_ token: String) async throws -> String {
        try await api.post("/v1/verify", ["token": .string(token)], as: adminToken).string("code")
    }
}
