import HTTPTestSupport
import JSON
import Keys
import NIOHTTP1
import Notices
import Server
import ServerTestSupport
import TestSupport
import Testing

/// Webhooks in the console: their secrets, roles, deliveries and faults.
@Suite(.hangLimit) struct WebhookPageTests {
    private static let list = "/console/webhooks"
    private static let new = "/console/webhooks/new"

    /// Creates a webhook and returns its path and the page with the secret.
    private static func create(
        _ browser: Browser,
        _ url: String,
        types: String = "*"
    ) async throws -> (path: String, page: Browser.Page) {
        let page = try await browser.submit(new, to: new, [("url", url), ("event_types", types), ("workspace", "")])
        try #require(page.status == 201, "\(page.text)")
        let rest = try #require(page.text.components(after: "href=\"/console/webhooks/0"))
        return ("\(list)/0\(rest.prefix { $0 != "\"" })", page)
    }

    private static func secret(_ page: Browser.Page) -> String? {
        page.text.components(after: "value=\"whsec_").map { "whsec_" + $0.prefix { $0 != "\"" } }
    }

    // A reload, the way back and a cache must not have the secret, and a reload must not make a second webhook.
    @Test func `a signing secret is in exactly one answer, and the same form again changes nothing`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let page = try await browser.get(Self.new)
            let fields = [
                ("csrf", try page.field("csrf")), ("ticket", try page.field("ticket")),
                ("url", "https://hooks.example.com/mortise"), ("event_types", "key.*\r\nmember.*"), ("workspace", ""),
                ("description", "<script>alert(1)</script>"),
            ]
            let created = try await browser.post(Self.new, fields)
            #expect(created.status == 201 && created.headers["Cache-Control"] == ["no-store"])
            let secret = try #require(Self.secret(created))
            let reload = try await browser.post(Self.new, fields)
            #expect(reload.status == 200 && Self.secret(reload) == nil && !reload.text.contains(secret))
            let list = try await browser.get(Self.list)
            #expect(list.text.components(after: "hooks.example.com/mortise</bdi>") != nil)
            #expect(list.text.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !list.text.contains("<script>alert"))
            let webhooks = try await console.mortise.api.get(
                "/v1/organizations/default/webhooks",
                as: console.mortise.adminToken
            )
            #expect(webhooks["data"]?.array?.count == 1)

            let path = "\(Self.list)/\(try #require(webhooks["data"]?.array?.first?["id"]?.string))"
            let one = try await browser.get(path)
            let rotation = [("csrf", try one.field("csrf")), ("ticket", try one.field("ticket"))]
            let rotated = try await browser.post("\(path)/rotate-secret", rotation)
            let next = try #require(Self.secret(rotated))
            #expect(rotated.status == 200 && next != secret)
            let again = try await browser.post("\(path)/rotate-secret", rotation)
            #expect(again.status == 200 && Self.secret(again) == nil)
            // The form of the creation, sent once more after the rotation, makes nothing either.
            let late = try await browser.post(Self.new, fields)
            #expect(late.status == 422 && Self.secret(late) == nil)
            #expect(try await browser.get("\(path)/rotate-secret").location == path)
        }
    }

    @Test func `faults of a form are at their fields, and the input stays`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "admin")
            let page = try await browser.submit(
                Self.new,
                to: Self.new,
                [("url", "http://hooks.example.com"), ("event_types", "key.nothing"), ("workspace", "")]
            )
            #expect(page.status == 422)
            #expect(page.text.contains("id=\"url-fault\"") && page.text.contains("id=\"event_types-fault\""))
            #expect(page.text.contains("value=\"http://hooks.example.com\"") && page.text.contains(">key.nothing<"))
            let damaged = [("url", "https://hooks.example.com"), ("event_types", "*"), ("workspace", "x")]
            #expect(try await browser.submit(Self.new, to: Self.new, damaged).status == 404)
            #expect(try await browser.submit(Self.new, to: Self.new, Array(damaged.prefix(2))).status == 404)
            let (path, _) = try await Self.create(browser, "https://hooks.example.com/a")
            let fault = try await browser.submit(path, to: path, [("url", "ftp://x"), ("event_types", "*")])
            #expect(fault.status == 422 && fault.text.contains("id=\"url-fault\""))
            // The database's rules answered with an internal error, and what was typed was lost.
            let long = String(repeating: "d", count: 2001)
            let many = (1...51).map { _ in "*" }.joined(separator: "\r\n")
            for types in ["", " \r\n,", many] {
                let fields = [("url", "https://hooks.example.com/c"), ("event_types", types), ("description", long)]
                for (form, more) in [(Self.new, [("workspace", "")]), (path, [])] {
                    let refused = try await browser.submit(form, to: form, fields + more)
                    #expect(refused.status == 422, "\(form), \(types)")
                    for sentence in ["Must have 1 to 50 types of events.", "Must have at most 2000 characters."] {
                        #expect(refused.text.contains(sentence), "\(form), \(types)")
                    }
                    for field in ["event_types", "description"] {
                        #expect(refused.text.contains("id=\"\(field)-fault\""), "\(form), \(types)")
                    }
                    #expect(refused.text.contains("value=\"https://hooks.example.com/c\""))
                    #expect(refused.text.contains(">\(long)</textarea>"))
                }
            }
            let saved = try await browser.submit(
                path,
                to: path,
                [("url", "https://hooks.example.com/b"), ("event_types", "key.revoked"), ("description", "Of billing")]
            )
            #expect(saved.location == "\(path)?done=saved")
            let changed = try await browser.get(path)
            #expect(changed.text.contains("hooks.example.com/b") && changed.text.contains(">Of billing</textarea>"))
        }
    }

    // A webhook shows all keys of an organization, so members and auditors must not make one.
    @Test func `owners and admins alone see webhooks, and a final change needs the URL`() async throws {
        try await withConsole { console in
            let owner = try await console.browser("ada@example.org", "owner")
            let (path, _) = try await Self.create(owner, "https://hooks.example.com/a")
            for role in ["member", "auditor"] {
                let other = try await console.browser("\(role)@example.org", role)
                #expect(try await other.get(Self.list).status == 403)
                #expect(try await other.get(path).status == 403)
                #expect(try await !other.get("/console/").text.contains("href=\"/console/webhooks\""))
                let home = try await other.get("/console/settings")
                let form = [("csrf", try home.field("csrf")), ("confirmation", "https://hooks.example.com/a")]
                #expect(try await other.post("\(path)/delete", form).status == 403)
            }
            let admin = try await console.browser("grace@example.org", "admin")
            #expect(try await admin.get("/console/").text.contains("href=\"/console/webhooks\""))
            let wrong = try await admin.submit(path, to: "\(path)/delete", [("confirmation", "https://other")])
            #expect(wrong.status == 422 && wrong.text.contains("This is not the URL of the webhook."))
            #expect(wrong.text.contains("value=\"https://other\""))
            let deleted = try await admin.submit(
                path,
                to: "\(path)/delete",
                [("confirmation", "https://hooks.example.com/a")]
            )
            #expect(deleted.location == "\(Self.list)?done=webhook-deleted")
            #expect(try await admin.get(path).status == 404)
        }
    }

    // The page said that the receiver had refused everything, so its owner looked there for the fault.
    @Test func `a receiver that was never reached is not said to have refused events`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            // An address that Mortise does not call.
            let (path, _) = try await Self.create(browser, "https://127.0.0.2/hook")
            #expect(try await browser.submit(path, to: "\(path)/test").location == "\(path)?done=test-queued")
            try await eventually("the failed attempt is listed") {
                try await browser.get(path).text.contains("No answer")
            }
            let home = try await browser.get("/console/").text
            #expect(home.contains("has accepted no event; the failures began") && !home.contains("has refused"))
        }
    }

    // The fault: a receiver refuses everything for days, and nobody notices before the webhook is disabled.
    @Test func `deliveries show why they failed, can be sent again, and a failing webhook needs attention`()
        async throws
    {
        try await ScriptedServer.with { _ in
            .answer(500, "<b>out of order</b>", type: "text/html")
        } _: { receiver in
            try await withConsole(configure: { configuration in
                configuration.notices.allowedAddresses = [try? AddressRange("127.0.0.0/8")].compactMap(\.self)
            }) { console in
                let browser = try await console.browser("ada@example.org", "owner")
                let (path, _) = try await Self.create(browser, receiver.url)
                let tested = try await browser.submit(path, to: "\(path)/test")
                #expect(tested.location == "\(path)?done=test-queued")
                var page = try await browser.get(path)
                try await eventually("the failed attempt is listed") {
                    page = try await browser.get(path)
                    return page.text.contains("Status 500")
                }
                #expect(page.text.contains("&lt;b&gt;out of order&lt;/b&gt;"))
                let home = try await browser.get("/console/")
                #expect(home.text.contains("has accepted no event; the failures began"))
                #expect(home.text.contains("href=\"\(path)\""))
                let rest = try #require(page.text.components(after: "action=\"\(path)/deliveries/"))
                let count = receiver.requests.count
                let retry = "\(path)/deliveries/\(rest.prefix { $0 != "\"" })"
                #expect(try await browser.submit(path, to: retry).location == "\(path)?done=delivery-queued")
                try await eventually("the delivery is sent again") { receiver.requests.count > count }
                #expect(
                    try await browser.submit(path, to: "\(path)/disable").location == "\(path)?done=webhook-disabled"
                )
                #expect(try await browser.submit(path, to: "\(path)/test").status == 409)
                #expect(try await !browser.get("/console/").text.contains("has accepted no event"))
                #expect(try await browser.submit(path, to: "\(path)/enable").location == "\(path)?done=webhook-enabled")
            }
        }
    }

    // The attack: somebody sends test events in a loop.
    @Test func `a test event beyond the bound is refused on the page, with the wait`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (path, _) = try await Self.create(browser, "https://127.0.0.2/hook")
            try await console.mortise.script(
                console.mortise.installation.control,
                "UPDATE control.webhooks SET tests_since = now(), test_count = 100"
            )
            let refused = try await browser.submit(path, to: "\(path)/test")
            #expect(refused.status == 409)
            #expect(refused.text.contains("within an hour, its maximum. Send the next one in "))
        }
    }
}
