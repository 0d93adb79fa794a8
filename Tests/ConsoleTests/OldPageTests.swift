import JSON
import ServerTestSupport
import TestSupport
import Testing

/// Forms of pages that are older than the last change, such as those in another tab.
@Suite(.hangLimit) struct OldPageTests {
    /// Returns a form as a page has it, with some fields changed.
    private static func form(
        _ page: Browser.Page,
        _ names: [String],
        _ changes: [String: String]
    ) throws -> [(String, String)] {
        var fields = [("csrf", try page.field("csrf"))]
        for name in names {
            let shown = try page.field("shown_\(name)")
            fields += [("shown_\(name)", shown), (name, changes[name] ?? shown)]
        }
        return fields
    }

    /// Returns the form of a workspace's settings without a limit of scopes.
    private static func workspace(
        _ page: Browser.Page,
        _ changes: [String: String],
        scopes: String? = nil
    ) throws -> [(String, String)] {
        let limit = [("shown_limit", try page.field("shown_limit")), ("member_scopes", scopes ?? "")]
        return try form(page, ["name", "slug"], changes) + limit + (scopes == nil ? [] : [("limits_scopes", "1")])
    }

    @Test func `an old page of a workspace changes only what the person changed in it`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (api, token) = (console.mortise.api, console.mortise.adminToken)
            let made = try await api.post("/v1/organizations/default/workspaces", ["name": "Trial"], as: token)
            #expect(made.status == 201)
            let (path, settings) = ("/v1/workspaces/trial", "/console/workspaces/trial/settings")
            let old = try await browser.get(settings)
            let limited = try await api.send("PATCH", path, ["member_scopes": ["read:a"]], as: token)
            #expect(limited.status == 200, "\(limited)")
            let renamed = try await browser.post(settings, try Self.workspace(old, ["name": "Mine"]))
            #expect(renamed.location == "\(settings)?done=saved")
            let both = try await api.get(path, as: token)
            #expect(both["name"] == "Mine" && both["member_scopes"] == ["read:a"], "\(both)")

            let contested = try Self.workspace(old, ["name": "Theirs"], scopes: "read:b")
            let refused = try await browser.post(settings, contested)
            #expect(refused.status == 422 && refused.text.contains("id=\"member_scopes-fault\""))
            #expect(refused.text.contains("It is now \u{201C}Mine\u{201D}."))
            #expect(refused.text.contains("It is now \u{201C}read:a\u{201D}."))
            #expect(refused.text.contains("value=\"Theirs\"") && refused.text.contains(">read:b</textarea>"))
            let kept = try await api.get(path, as: token)
            #expect(kept["name"] == "Mine" && kept["member_scopes"] == ["read:a"])
            let again = try Self.workspace(refused, ["name": "Theirs"], scopes: "read:b")
            #expect(try await browser.post(settings, again).location == "\(settings)?done=saved")
            let replaced = try await api.get(path, as: token)
            #expect(replaced["name"] == "Theirs" && replaced["member_scopes"] == ["read:b"])
        }
    }

    @Test func `an old page of a webhook changes only what the person changed in it`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (api, token) = (console.mortise.api, console.mortise.adminToken)
            let body: JSONValue = ["url": "https://hooks.example.com/a", "event_types": ["*"]]
            let made = try await api.post("/v1/organizations/default/webhooks", body, as: token)
            let id = try made.string("webhook", "id")
            let (path, page) = ("/v1/organizations/default/webhooks/\(id)", "/console/webhooks/\(id)")
            let names = ["url", "event_types", "description"]
            let old = try await browser.get(page)
            let described = try await api.send("PATCH", path, ["description": "Of billing"], as: token)
            #expect(described.status == 200, "\(described)")
            let saved = try await browser.post(page, try Self.form(old, names, ["event_types": "key.revoked"]))
            #expect(saved.location == "\(page)?done=saved")
            let both = try await api.get(path, as: token)
            #expect(both["description"] == "Of billing" && both["event_types"] == ["key.revoked"], "\(both)")

            let mine = ["description": "Of shipping"]
            let refused = try await browser.post(page, try Self.form(old, names, mine))
            #expect(refused.status == 422 && refused.text.contains("id=\"description-fault\""))
            #expect(refused.text.contains("It is now \u{201C}Of billing\u{201D}."))
            // The fields that the person left have their present values.
            #expect(
                refused.text.contains(">Of shipping</textarea>") && refused.text.contains(">key.revoked</textarea>")
            )
            #expect(try await api.get(path, as: token)["description"] == "Of billing")
            let again = try await browser.post(page, try Self.form(refused, names, mine))
            #expect(again.location == "\(page)?done=saved")
            let replaced = try await api.get(path, as: token)
            #expect(replaced["description"] == "Of shipping" && replaced["event_types"] == ["key.revoked"])
        }
    }

    // The attack: a role that was taken away comes back with the name that somebody else corrects in an old page.
    @Test func `an old page of a member gives no role back`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (api, token) = (console.mortise.api, console.mortise.adminToken)
            let bob = try await console.mortise.addMember("bob@example.org", "admin")
            let page = "/console/members/\(bob.id)"
            let old = try await browser.get(page)
            let demoted = try await api.send("PATCH", bob.path, ["role": "auditor"], as: token)
            #expect(demoted.status == 200, "\(demoted)")
            let named = try await browser.post(page, try Self.form(old, ["name", "role"], ["name": "Bob"]))
            #expect(named.location == "\(page)?done=saved")
            #expect(try await api.get(bob.path, as: token)["role"] == "auditor")
            let present = try await browser.get(page)
            #expect(try present.field("shown_name") == "Bob")

            let refused = try await browser.post(page, try Self.form(old, ["name", "role"], ["role": "member"]))
            #expect(refused.status == 422 && refused.text.contains("id=\"role-fault\""))
            #expect(refused.text.contains("It is now \u{201C}Auditor\u{201D}."))
            #expect(try await api.get(bob.path, as: token)["role"] == "auditor")
            let again = try await browser.post(page, try Self.form(refused, ["name", "role"], ["role": "member"]))
            #expect(again.location == "\(page)?done=saved")
            #expect(try await api.get(bob.path, as: token)["role"] == "member")
            #expect(try await browser.get(page).field("shown_name") == "Bob")
        }
    }

    @Test func `an old page of an organization changes only what the operator changed in it`() async throws {
        try await withConsole { console in
            let browser = try await console.operatorBrowser()
            let (api, token) = (console.mortise.api, console.mortise.operatorToken)
            let made = try await api.post("/v1/organizations", ["name": "Acme"], as: token)
            #expect(made.status == 201)
            let (path, page) = ("/v1/organizations/acme", "/console/platform/organizations/acme")
            let names = ["name", "slug", "token_prefix"]
            let old = try await browser.get(page)
            let prefixed = try await api.send("PATCH", path, ["token_prefix": "acme"], as: token)
            #expect(prefixed.status == 200, "\(prefixed)")
            let named = try await browser.post(page, try Self.form(old, names, ["name": "Acme Ltd"]))
            #expect(named.location == "\(page)?done=saved")
            let both = try await api.get(path, as: token)
            #expect(both["name"] == "Acme Ltd" && both["token_prefix"] == "acme", "\(both)")

            let mine = ["token_prefix": "acm"]
            let refused = try await browser.post(page, try Self.form(old, names, mine))
            #expect(refused.status == 422 && refused.text.contains("id=\"prefix-fault\""))
            #expect(refused.text.contains("It is now \u{201C}acme\u{201D}."))
            #expect(refused.text.contains("value=\"acm\"") && refused.text.contains("value=\"Acme Ltd\""))
            #expect(try await api.get(path, as: token)["token_prefix"] == "acme")
            let again = try await browser.post(page, try Self.form(refused, names, mine))
            #expect(again.location == "\(page)?done=saved")
            let replaced = try await api.get(path, as: token)
            #expect(replaced["name"] == "Acme Ltd" && replaced["token_prefix"] == "acm")
        }
    }

    // The attack: a reaction that somebody made stricter becomes mild again with a number that is corrected in an old page.
    @Test func `an old page of an organization's notices makes no reaction milder`() async throws {
        try await withConsole { console in
            let browser = try await console.operatorBrowser()
            let (api, token) = (console.mortise.api, console.mortise.operatorToken)
            let (path, page) = ("/v1/organizations/default", "/console/platform/organizations/default")
            let names = ["leak_action", "expiry_notice_days", "unused_after_days"]
            let old = try await browser.get(page)
            let stricter: JSONValue = ["leak_action": "revoke", "expiry_notice_days": [14]]
            let tightened = try await api.send("PATCH", path, stricter, as: token)
            #expect(tightened.status == 200, "\(tightened)")
            let fields = try Self.form(old, names, ["unused_after_days": "30"])
            let saved = try await browser.post("\(page)/notices", fields)
            #expect(saved.location == "\(page)?done=saved")
            let all = try await api.get(path, as: token)
            #expect(all["leak_action"] == "revoke" && all["expiry_notice_days"] == [14], "\(all)")
            #expect(all["unused_after_days"] == 30)

            let (mine, noNotice) = (["leak_action": "notify"], [("no_expiry_notices", "1")])
            let refused = try await browser.post("\(page)/notices", try Self.form(old, names, mine) + noNotice)
            #expect(refused.status == 422)
            for text in [
                "id=\"leak-fault\"", "It is now \u{201C}Revoke the key\u{201D}.", "id=\"expiry-fault\"",
                "It is now \u{201C}14\u{201D}.", "<option value=\"notify\" selected>",
                "name=\"no_expiry_notices\" value=\"1\" checked>",
            ] {
                #expect(refused.text.contains(text), "\(text)")
            }
            #expect(try await api.get(path, as: token)["leak_action"] == "revoke")
            let again = try await browser.post("\(page)/notices", try Self.form(refused, names, mine) + noNotice)
            #expect(again.location == "\(page)?done=saved")
            let replaced = try await api.get(path, as: token)
            #expect(replaced["leak_action"] == "notify" && replaced["expiry_notice_days"] == [], "\(replaced)")
        }
    }

    // The accident: the slug of an old page is another organization's now, and the form changes that one.
    @Test func `a form of an old page finds the organization after its slug was given to another one`() async throws {
        try await withConsole { console in
            let browser = try await console.operatorBrowser()
            let (api, token) = (console.mortise.api, console.mortise.operatorToken)
            let made = try await api.post("/v1/organizations", ["name": "Acme"], as: token)
            #expect(made.status == 201)
            let old = try await browser.get("/console/platform/organizations/acme")
            let moved = try await api.send("PATCH", "/v1/organizations/acme", ["slug": "acme-old"], as: token)
            let other = try await api.post("/v1/organizations", ["name": "Other", "slug": "acme"], as: token)
            #expect(moved.status == 200 && other.status == 201)
            let target = try #require(old.text.components(after: "method=\"post\" action=\"/console/platform/org"))
            let action = "/console/platform/org" + target.prefix { $0 != "\"" }
            let fields = try Self.form(old, ["name", "slug", "token_prefix"], ["name": "First"])
            let saved = try await browser.post(action, fields)
            #expect(saved.location == "/console/platform/organizations/acme-old?done=saved")
            #expect(try await api.get("/v1/organizations/acme", as: token)["name"] == "Other")
            #expect(try await api.get("/v1/organizations/acme-old", as: token)["name"] == "First")
        }
    }

    /// Returns the form that rotates a key, as a page has it.
    private static func rotation(_ page: Browser.Page) throws -> [(String, String)] {
        let hidden = try ["csrf", "ticket", "shown_secret"].map { ($0, try page.field($0)) }
        return hidden + [("grace", "3600")]
    }

    // The accident: two people rotate one key, and the token that the first one has replaced ends at once.
    @Test func `an old page does not rotate a key that somebody has rotated meanwhile`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (api, token) = (console.mortise.api, console.mortise.adminToken)
            let key = try await console.mortise.makeKey("CI")
            let page = "/console/workspaces/default/keys/\(key.id)"
            let old = try await browser.get(page)
            let rotated = try await api.post("\(key.path)/rotate", ["grace_period_seconds": 3600], as: token)
            let second = try rotated.string("token")
            let refused = try await browser.post("\(page)/rotate", try Self.rotation(old))
            #expect(refused.status == 409 && refused.text.token == nil)
            #expect(refused.element("alert")?.contains("Somebody rotated the key meanwhile.") == true)
            for token in [key.token, second] { #expect(try await console.mortise.verdict(token) == "valid") }

            let fields = try Self.rotation(refused)
            let again = try await browser.post("\(page)/rotate", fields)
            let third = try #require(again.text.token)
            for token in [second, third] { #expect(try await console.mortise.verdict(token) == "valid") }
            // The same form again is about the secret that it has replaced, and is answered as before.
            let repeated = try await browser.post("\(page)/rotate", fields)
            #expect(repeated.status == 200 && repeated.text.contains("This form was sent before"))
        }
    }

    @Test func `an old page does not rotate a signing secret that somebody has rotated meanwhile`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (api, token) = (console.mortise.api, console.mortise.adminToken)
            let body: JSONValue = ["url": "https://hooks.example.com/a", "event_types": ["*"]]
            let made = try await api.post("/v1/organizations/default/webhooks", body, as: token)
            let id = try made.string("webhook", "id")
            let (path, page) = ("/v1/organizations/default/webhooks/\(id)", "/console/webhooks/\(id)")
            func form(_ page: Browser.Page) throws -> [(String, String)] {
                try ["csrf", "ticket", "shown_secret"].map { ($0, try page.field($0)) }
            }
            let old = try await browser.get(page)
            let rotated = try await api.post("\(path)/rotate-secret", as: token)
            #expect(rotated.status == 200, "\(rotated)")
            let refused = try await browser.post("\(page)/rotate-secret", try form(old))
            #expect(refused.status == 409 && !refused.text.contains("Copy the secret"))
            #expect(refused.element("alert")?.contains("Somebody rotated the secret meanwhile.") == true)
            let fields = try form(refused)
            let again = try await browser.post("\(page)/rotate-secret", fields)
            #expect(again.status == 200 && again.text.contains("Copy the secret"))
            // The same form again is about the secret that it has replaced, and is answered as before.
            let repeated = try await browser.post("\(page)/rotate-secret", fields)
            #expect(repeated.status == 200 && repeated.text.contains("This form was sent before"))
        }
    }

    // The attack: a key was disabled for another reason since, and the old page brings it back.
    @Test func `an old page does not enable a key that somebody has disabled again`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (api, token) = (console.mortise.api, console.mortise.adminToken)
            let key = try await console.mortise.makeKey("CI")
            let page = "/console/workspaces/default/keys/\(key.id)"
            func form(_ page: Browser.Page) throws -> [(String, String)] {
                try ["csrf", "shown_disabled"].map { ($0, try page.field($0)) }
            }
            #expect(try await api.post("\(key.path)/disable", as: token).status == 200)
            let old = try await browser.get(page)
            #expect(try await api.post("\(key.path)/enable", as: token).status == 200)
            #expect(try await api.post("\(key.path)/disable", as: token).status == 200)
            let refused = try await browser.post("\(page)/enable", try form(old))
            #expect(refused.status == 409)
            #expect(refused.element("alert")?.contains("disabled it again meanwhile") == true)
            #expect(try await api.get(key.path, as: token)["status"] == "disabled")
            let enabled = try await browser.post("\(page)/enable", try form(refused))
            #expect(enabled.location == "\(page)?done=enabled")
            #expect(try await api.get(key.path, as: token)["status"] == "active")
        }
    }

    @Test func `a password that is changed has all of its faults at once`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (page, path) = ("/console/settings", "/console/settings/password")
            let wrong = [("current", "not the password"), ("new", "short"), ("again", "other")]
            let refused = try await browser.submit(page, to: path, wrong)
            #expect(refused.status == 422)
            for id in ["current-fault", "new-fault", "again-fault"] {
                #expect(refused.text.contains("id=\"\(id)\""), "\(id)")
            }
            for (_, password) in wrong { #expect(!refused.text.contains("value=\"\(password)\"")) }
            let new = "a quite new password"
            let right = [("current", ServerHarness.memberPassword), ("new", new), ("again", new)]
            #expect(try await browser.submit(page, to: path, right).location == "\(page)?done=password-changed")
        }
    }

    // The attack: somebody stopped the workspace or the webhook again, and the old page brings it back.
    @Test func `an old page brings nothing back that somebody stopped again`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (api, token) = (console.mortise.api, console.mortise.adminToken)
            let made = try await api.post("/v1/organizations/default/workspaces", ["name": "Trial"], as: token)
            let settings = "/console/workspaces/\(try made.string("id"))/settings"
            func post(_ path: String) async throws { #expect(try await api.post(path, as: token).status == 200) }
            func form(_ page: Browser.Page, _ fields: [(String, String)] = []) throws -> [(String, String)] {
                try ["csrf", "shown_changed"].map { ($0, try page.field($0)) } + fields
            }
            try await post("/v1/workspaces/trial/suspend")
            let old = try await browser.get("/console/workspaces/trial/settings")
            try await post("/v1/workspaces/trial/resume")
            try await post("/v1/workspaces/trial/suspend")
            let refused = try await browser.post("\(settings)/state", try form(old, [("state", "active")]))
            #expect(refused.status == 409)
            #expect(refused.element("alert")?.contains("Somebody changed the workspace meanwhile.") == true)
            #expect(try await api.get("/v1/workspaces/trial", as: token)["state"] == "suspended")
            let resumed = try await browser.post("\(settings)/state", try form(refused, [("state", "active")]))
            #expect(resumed.location?.hasSuffix("?done=resumed") == true, "\(resumed.text)")
            // A second click has nothing to undo.
            let second = try await browser.post("\(settings)/state", try form(refused, [("state", "active")]))
            #expect(second.location?.hasSuffix("?done=resumed") == true, "\(second.text)")

            let body: JSONValue = ["url": "https://hooks.example.com/a", "event_types": ["*"]]
            let hook = try await api.post("/v1/organizations/default/webhooks", body, as: token)
            let id = try hook.string("webhook", "id")
            let (path, page) = ("/v1/organizations/default/webhooks/\(id)", "/console/webhooks/\(id)")
            try await post("\(path)/disable")
            let before = try await browser.get(page)
            try await post("\(path)/enable")
            try await post("\(path)/disable")
            let kept = try await browser.post("\(page)/enable", try form(before))
            #expect(kept.status == 409)
            #expect(kept.element("alert")?.contains("Somebody changed the webhook meanwhile.") == true)
            #expect(try await api.get(path, as: token)["enabled"] == false)
            let enabled = try await browser.post("\(page)/enable", try form(kept))
            #expect(enabled.location?.hasSuffix("?done=webhook-enabled") == true, "\(enabled.text)")
        }
    }

    @Test func `an old page of a key that was revoked says so on the page of the key`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let key = try await console.mortise.makeKey("CI")
            let page = "/console/workspaces/default/keys/\(key.id)"
            let old = try await browser.get(page)
            let revoked = try await console.mortise.api.post("\(key.path)/revoke", as: console.mortise.adminToken)
            #expect(revoked.status == 200)
            let csrf = ("csrf", try old.field("csrf"))
            for (action, fields) in [("rotate", try Self.rotation(old)), ("disable", [csrf])] {
                let refused = try await browser.post("\(page)/\(action)", fields)
                #expect(refused.status == 409 && refused.text.contains("Revoked"), "\(action): \(refused.text)")
                #expect(refused.element("alert")?.contains("The key is revoked") == true, "\(action)")
                #expect(refused.text.contains("<h2 id=\"about\">"))
            }
        }
    }
}
