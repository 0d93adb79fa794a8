import ServerTestSupport
import TestSupport
import Testing

/// Forms with several faults.
@Suite(.hangLimit) struct FormFaultTests {
    private typealias Form = (path: String, fields: [(String, String)], faults: [String])

    /// A name that is too long.
    private static let long = String(repeating: "x", count: 256)

    /// More scopes than a workspace's members can be limited to.
    private static let many = (0...100).map { "read:r\($0)" }.joined(separator: "\n")

    /// Forms of operators with a fault in each field that can have one.
    private static let operatorForms: [Form] = ["new-organization", "organizations/default"]
        .map { form -> Form in
            (
                "/console/platform/\(form)", [("name", long), ("slug", "Not a slug"), ("token_prefix", "!")],
                ["name", "slug", "prefix"]
            )
        }

    private static let organization = "/console/platform/organizations/default"

    /// Forms of the page of an organization, each wrong entry beside the others.
    private static var organizationForms: [Form] {
        let days = [("400", "4000"), ("soon", "often"), ("soon", "4000"), ("400", "often")]
        let notices = days.map { expiry, unused -> Form in
            (
                "\(organization)/notices",
                [("leak_action", "forget"), ("expiry_notice_days", expiry), ("unused_after_days", unused)],
                ["leak", "expiry", "unused"]
            )
        }
        let parties = (0...100).map { "https://\($0).example.com" }.joined(separator: "\n")
        let issuer: Form = (
            "\(organization)/session-issuers",
            [("issuer", ""), ("jwks_url", "ftp://x"), ("authorized_parties", parties)], ["issuer", "jwks", "parties"]
        )
        return notices + [issuer]
    }

    /// Forms of members with a fault in each field that can have one.
    private static func forms(key: String) -> [Form] {
        let workspace = "/console/workspaces/default"
        let settings = [
            ("name", ""), ("mode", "live"), ("type", "service"), ("scopes", "x y"), ("namespaces", long),
            ("ends", "date"), ("ends_on", "2020-01-01"),
        ]
        return [
            ("\(workspace)/keys/new", settings, ["name", "scopes", "namespaces", "ends_on"]),
            (
                "\(workspace)/keys/\(key)", settings + [("edit", "1"), ("per_hour", "none")],
                ["name", "scopes", "namespaces", "per_hour", "ends_on"]
            ),
            ("\(workspace)/client-keys/new", settings, ["name", "subject", "scopes", "namespaces", "ends_on"]),
            (
                "/console/members",
                [("email", "no"), ("name", long), ("role", "admin"), ("workspace", ""), ("password", "short")],
                ["email", "name", "password"]
            ),
            ("/console/new-workspace", [("name", long), ("slug", "Not a slug")], ["name", "slug"]),
            (
                "\(workspace)/settings",
                [("name", long), ("slug", "Not a slug"), ("limits_scopes", "1"), ("member_scopes", "x y")],
                ["name", "slug", "member_scopes"]
            ),
            (
                "\(workspace)/settings",
                [("name", "x"), ("limits_scopes", "1"), ("member_scopes", many)],
                ["member_scopes"]
            ),
            (
                "/console/webhooks/new",
                [
                    ("url", "ftp://x"), ("event_types", ""), ("workspace", ""),
                    ("description", String(repeating: "x", count: 2001)),
                ],
                ["url", "event_types", "description"]
            ),
        ]
    }

    // A person who corrected one field was sent back for the next one.
    @Test func `a form has the faults of all of its fields at once`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let key = try await console.mortise.makeKey("CI")
            for form in Self.forms(key: key.id) { try await Self.expectFaults(form, browser) }
            let operators = try await console.operatorBrowser()
            for form in Self.operatorForms { try await Self.expectFaults(form, operators) }
            for form in Self.organizationForms {
                try await Self.expectFaults(form, of: Self.organization, operators)
            }
        }
    }

    // The page named the fault above the form only, and the wrong entry was not marked.
    @Test func `a scope that a member cannot give is a fault of the scopes`() async throws {
        try await withConsole { console in
            let member = try await console.browser("mem@example.org", "member")
            let path = "/console/workspaces/default/client-keys/new"
            let fields = [("name", "mine"), ("mode", "live"), ("ends", "never")]
            let refused = try await member.submit(path, to: path, fields + [("scopes", "*")])
            #expect(refused.status == 422 && refused.text.contains("href=\"#scopes\""))
            let fault = try #require(refused.text.components(after: "id=\"scopes-fault\">"))
            #expect(fault.hasPrefix("The scope &quot;*&quot; is not one that the owner of a key can give to it."))
            #expect(refused.text.contains(">*</textarea>"))
            let made = try await member.submit(path, to: path, fields + [("scopes", "read:a")])
            let rest = try #require(made.text.components(after: "href=\"/console/workspaces/default/client-keys/0"))
            let key = "/console/workspaces/default/client-keys/0\(rest.prefix { $0 != "\"" })"
            let changed = try await member.submit(key, to: key, fields + [("scopes", "*"), ("edit", "1")])
            #expect(changed.status == 422 && changed.text.contains("id=\"scopes-fault\""))
        }
    }

    // "Must be in the future." stood at "Ends", which says "On a date…", and not at the day.
    @Test func `a day that has passed is a fault of the day, and another end is a fault of the choice`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            for (ends, fault, other) in [("date", "ends_on", "ends"), ("0", "ends", "ends_on")] {
                let refused = try await browser.createKey("CI", [("ends", ends), ("ends_on", "2020-01-01")])
                #expect(refused.status == 422, "\(ends)")
                #expect(refused.text.contains("id=\"\(fault)-fault\"") && refused.text.contains("href=\"#\(fault)\""))
                #expect(!refused.text.contains("id=\"\(other)-fault\""), "\(ends)")
            }
        }
    }

    // MARK: Forms that are sent again

    private typealias Once = (page: String, path: String, changed: String, values: [String], fields: [(String, String)])

    private static let operatorOnce: [Once] = [
        ("/console/platform/new-organization", "/console/platform/new-organization", "name", ["Initech", "Hooli"], []),
        (
            "/console/platform/organizations/default", "/console/platform/organizations/default/session-issuers",
            "issuer", ["https://one.example.com", "https://two.example.com"],
            [("jwks_url", "https://one.example.com/jwks.json")]
        ),
    ]

    private static let memberOnce: [Once] = [
        (
            "/console/workspaces/default/keys/new", "/console/workspaces/default/keys/new", "name", ["one", "two"],
            [("mode", "live"), ("type", "service"), ("ends", "never")]
        ),
        (
            "/console/admin-keys/new", "/console/admin-keys/new", "name", ["one", "two"],
            [("mode", "live"), ("ends", "never"), ("permission.keys:read", "1")]
        ),
        (
            "/console/members", "/console/members", "email", ["one@example.org", "two@example.org"],
            [("role", "member"), ("workspace", "")]
        ),
        (
            "/console/webhooks/new", "/console/webhooks/new", "url",
            ["https://one.example.com", "https://two.example.com"], [("event_types", "*"), ("workspace", "")]
        ),
        ("/console/new-workspace", "/console/new-workspace", "name", ["One", "Two"], []),
    ]

    // A person who went back, changed a field and sent the form again read about an Idempotency-Key.
    @Test func `a form that is sent again with other entries says so, and then makes another thing`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            for form in Self.memberOnce { try await Self.sendAgain(form, browser) }
            let operators = try await console.operatorBrowser()
            for form in Self.operatorOnce { try await Self.sendAgain(form, operators) }
        }
    }

    private static func sendAgain(_ form: Once, _ browser: Browser) async throws {
        func fields(_ page: Browser.Page, _ value: String) throws -> [(String, String)] {
            let hidden = [("csrf", try page.field("csrf")), ("ticket", try page.field("ticket"))]
            return hidden + [(form.changed, value)] + form.fields
        }
        let page = try await browser.get(form.page)
        let first = try await browser.post(form.path, try fields(page, form.values[0]))
        #expect([201, 303].contains(first.status), "\(form.path): \(first.text)")
        let again = try await browser.post(form.path, try fields(page, form.values[1]))
        #expect(again.status == 422, "\(form.path)")
        #expect(again.text.contains("This form was sent before. Send it again to"), "\(form.path)")
        #expect(!again.text.contains("Idempotency-Key"), "\(form.path)")
        let second = try await browser.post(form.path, try fields(again, form.values[1]))
        #expect(second.status == first.status, "\(form.path): \(second.text)")
    }

    private static func expectFaults(_ form: Form, of page: String? = nil, _ browser: Browser) async throws {
        let page = try await browser.submit(page ?? form.path, to: form.path, form.fields)
        #expect(page.status == 422, "\(form.path)")
        for field in form.faults {
            #expect(page.text.contains("id=\"\(field)-fault\""), "\(field) of \(form.path)")
        }
    }
}
