import JSON
import ServerTestSupport
import TestSupport
import Testing

/// Texts with line ends, which programs give by the API, in the forms of the console.
///
/// The fault: a person changed one setting, and the line ends of the others were gone. A browser removes them from the value of an
/// `<input>`, and keeps them in the hidden field with the value that the page showed.
@Suite(.hangLimit) struct LineEndTests {
    /// Returns a form as a browser sends it: each line end is CRLF, and an `<input>` has none.
    private static func form(
        _ page: Browser.Page,
        inputs: [String],
        areas: [String] = [],
        _ changes: [String: String]
    ) throws -> [(String, String)] {
        var fields = [("csrf", try page.field("csrf"))]
        for name in inputs + areas {
            let shown = try page.field("shown_\(name)")
            let sent = shown.replacing("\n", with: inputs.contains(name) ? "" : "\r\n")
            fields += [("shown_\(name)", shown.replacing("\n", with: "\r\n")), (name, changes[name] ?? sent)]
        }
        return fields
    }

    private static func key(_ page: Browser.Page, _ changes: [String: String]) throws -> [(String, String)] {
        let areas = ["description", "scopes", "addresses", "namespaces"]
        return try form(page, inputs: ["name", "per_minute", "per_hour"], areas: areas, changes)
            + [("edit", "1"), ("ends", "never"), ("present_end", ""), ("shown_permissions", "")]
    }

    @Test func `saving one setting of a key keeps the line ends of its name and its description`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (api, token) = (console.mortise.api, console.mortise.adminToken)
            let key = try await console.mortise.makeKey("a\nb", ["description": "line1\nline2"])
            let path = "/console/workspaces/default/keys/\(key.id)"
            let page = try await browser.get(path)
            #expect(page.text.contains(">line1\nline2</textarea>"))
            let saved = try await browser.post(path, try Self.key(page, ["scopes": "read:a"]))
            #expect(saved.location == "\(path)?done=saved", "\(saved.text)")
            let kept = try await api.get(key.path, as: token)
            #expect(kept["name"] == "a\nb" && kept["description"] == "line1\nline2", "\(kept)")
            #expect(kept["scopes"] == ["read:a"])

            // What the person changes is saved, with the line ends of programs.
            let longer = ["description": "line1\r\nline2\r\nline3"]
            _ = try await browser.post(path, try Self.key(try await browser.get(path), longer))
            let described = try await api.get(key.path, as: token)
            #expect(described["name"] == "a\nb" && described["description"] == "line1\nline2\nline3", "\(described)")
            _ = try await browser.post(path, try Self.key(try await browser.get(path), ["name": "a b"]))
            let renamed = try await api.get(key.path, as: token)
            #expect(renamed["name"] == "a b" && renamed["description"] == "line1\nline2\nline3", "\(renamed)")
            // In a text area, a line end is a change like any other.
            let joined = ["description": "line1line2line3"]
            _ = try await browser.post(path, try Self.key(try await browser.get(path), joined))
            #expect(try await api.get(key.path, as: token)["description"] == "line1line2line3")
        }
    }

    @Test func `saving one setting of a webhook keeps the line ends of its description`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (api, token) = (console.mortise.api, console.mortise.adminToken)
            let body: JSONValue = [
                "url": "https://hooks.example.com/a", "event_types": ["*"], "description": "line1\nline2",
            ]
            let made = try await api.post("/v1/organizations/default/webhooks", body, as: token)
            let id = try made.string("webhook", "id")
            let (path, page) = ("/v1/organizations/default/webhooks/\(id)", "/console/webhooks/\(id)")
            func save(_ changes: [String: String]) async throws {
                let form = try Self.form(
                    try await browser.get(page),
                    inputs: ["url"],
                    areas: ["event_types", "description"],
                    changes
                )
                let saved = try await browser.post(page, form)
                #expect(saved.location == "\(page)?done=saved", "\(saved.text)")
            }
            try await save(["event_types": "key.revoked"])
            let kept = try await api.get(path, as: token)
            #expect(kept["description"] == "line1\nline2" && kept["event_types"] == ["key.revoked"], "\(kept)")
            try await save(["description": "line1\r\nline3"])
            #expect(try await api.get(path, as: token)["description"] == "line1\nline3")
        }
    }

    @Test func `saving one setting of a workspace, a member or an organization keeps the line ends of its name`()
        async throws
    {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (api, token) = (console.mortise.api, console.mortise.adminToken)
            let workspace: JSONValue = ["name": "Two\nlines", "slug": "trial"]
            #expect(try await api.post("/v1/organizations/default/workspaces", workspace, as: token).status == 201)
            let settings = "/console/workspaces/trial/settings"
            let page = try await browser.get(settings)
            let limit = [
                ("shown_limit", try page.field("shown_limit")), ("member_scopes", "read:a"), ("limits_scopes", "1"),
            ]
            let limited = try await browser.post(settings, try Self.form(page, inputs: ["name", "slug"], [:]) + limit)
            #expect(limited.location == "\(settings)?done=saved", "\(limited.text)")
            let ofWorkspace = try await api.get("/v1/workspaces/trial", as: token)
            #expect(ofWorkspace["name"] == "Two\nlines" && ofWorkspace["member_scopes"] == ["read:a"], "\(ofWorkspace)")

            let bob = try await console.mortise.addMember("bob@example.org", "admin")
            #expect(try await api.send("PATCH", bob.path, ["name": "Bob\nB"], as: token).status == 200)
            let member = "/console/members/\(bob.id)"
            let role = try Self.form(try await browser.get(member), inputs: ["name", "role"], ["role": "auditor"])
            let changed = try await browser.post(member, role)
            #expect(changed.location == "\(member)?done=saved", "\(changed.text)")
            let ofMember = try await api.get(bob.path, as: token)
            #expect(ofMember["user", "name"] == "Bob\nB" && ofMember["role"] == "auditor", "\(ofMember)")

            let operators = try await console.operatorBrowser()
            let organization: JSONValue = ["name": "Acme\nLtd", "slug": "acme"]
            let made = try await api.post("/v1/organizations", organization, as: console.mortise.operatorToken)
            #expect(made.status == 201)
            let acme = "/console/platform/organizations/acme"
            let form = try Self.form(
                try await operators.get(acme),
                inputs: ["name", "slug", "token_prefix"],
                ["token_prefix": "acme"]
            )
            let prefixed = try await operators.post(acme, form)
            #expect(prefixed.location == "\(acme)?done=saved", "\(prefixed.text)")
            let ofOrganization = try await api.get("/v1/organizations/acme", as: console.mortise.operatorToken)
            #expect(
                ofOrganization["name"] == "Acme\nLtd" && ofOrganization["token_prefix"] == "acme",
                "\(ofOrganization)"
            )
        }
    }

    // The title and the dialog showed the name differently, and a person must enter what they see.
    @Test func `a name with a line end is shown on one line everywhere, and confirms a final change as it is shown`()
        async throws
    {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let key = try await console.mortise.makeKey("nl\nq")
            let path = "/console/workspaces/default/keys/\(key.id)"
            let page = try await browser.get(path)
            #expect(page.text.contains("<bdi>nl q</bdi></h1>"))
            #expect(page.text.contains("Enter <b><bdi>nl q</bdi></b>."))
            // The field of the settings shows it without a space.
            for (change, shown) in [("revoke", "nl q"), ("delete", "nlq")] {
                let done = try await browser.submit(path, to: "\(path)/\(change)", [("confirmation", shown)])
                #expect(done.status == 303, "\(change): \(done.text)")
            }
        }
    }
}
