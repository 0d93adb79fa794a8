import JSON
import ServerTestSupport
import TestSupport
import Testing

/// Pages of objects that are gone, such as in a tab that was open before.
@Suite(.hangLimit) struct MissingObjectTests {
    /// Expects a page that names the object and leads to its list.
    private static func expectMissing(
        _ noun: String,
        _ end: String,
        _ list: String,
        _ page: Browser.Page,
        at location: SourceLocation = #_sourceLocation
    ) {
        #expect(page.status == 404, "\(page.text)", sourceLocation: location)
        let sentence = "There is no \(noun) with this id here. If there was one, it was \(end)."
        #expect(page.element("alert")?.contains(sentence) == true, "\(page.text)", sourceLocation: location)
        let link = "href=\"\(list)\">Show the \(noun)s</a>"
        #expect(page.text.contains(link), "\(page.text)", sourceLocation: location)
    }

    // The fault: the second "Delete key" said that the page does not exist, as if the first one had failed.
    @Test func `a form of a key that was deleted in another tab says so, with a way to the list`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let key = try await console.mortise.makeKey("CI")
            let (list, path) = ("/console/workspaces/default", "/console/workspaces/default/keys/\(key.id)")
            let page = try await browser.get(path)
            let csrf = [("csrf", try page.field("csrf"))]
            let deletion = csrf + [("confirmation", "CI")]
            #expect(try await browser.post("\(path)/delete", deletion).location == "\(list)?done=deleted")
            let once = [
                ("ticket", try page.field("ticket")), ("shown_secret", try page.field("shown_secret")), ("grace", "0"),
            ]
            let forms: [(String, [(String, String)])] = [
                ("/delete", deletion), ("/revoke", deletion), ("/disable", csrf), ("/enable", csrf),
                ("/rotate", csrf + once), ("/try", csrf + [("token", "x")]), ("", csrf + [("edit", "1")]),
            ]
            for (form, fields) in forms {
                Self.expectMissing("key", "deleted", list, try await browser.post(path + form, fields))
            }
            for form in ["", "/delete"] {
                Self.expectMissing("key", "deleted", list, try await browser.get(path + form))
            }
            // A key that never was and one of somebody else look the same.
            let never = "\(list)/keys/0199a1b2-0000-7000-8000-000000000000"
            Self.expectMissing("key", "deleted", list, try await browser.get(never))
        }
    }

    @Test func `a form of a webhook or a member that is gone says so, with a way to the list`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (api, token) = (console.mortise.api, console.mortise.adminToken)
            let body: JSONValue = ["url": "https://hooks.example.com/a", "event_types": ["*"]]
            let made = try await api.post("/v1/organizations/default/webhooks", body, as: token)
            let hook = "/console/webhooks/\(try made.string("webhook", "id"))"
            let page = try await browser.get(hook)
            let csrf = [("csrf", try page.field("csrf"))]
            let ofHook = csrf + [("confirmation", "https://hooks.example.com/a")]
            let deleted = try await browser.post("\(hook)/delete", ofHook)
            #expect(deleted.location == "/console/webhooks?done=webhook-deleted")
            let once = [("ticket", try page.field("ticket")), ("shown_secret", try page.field("shown_secret"))]
            let forms: [(String, [(String, String)])] = [
                ("/delete", ofHook), ("/enable", csrf), ("/disable", csrf), ("/test", csrf),
                ("/rotate-secret", csrf + once), ("", csrf + [("url", "https://hooks.example.com/b")]),
            ]
            for (form, fields) in forms {
                let answer = try await browser.post(hook + form, fields)
                Self.expectMissing("webhook", "deleted", "/console/webhooks", answer)
            }
            Self.expectMissing("webhook", "deleted", "/console/webhooks", try await browser.get(hook))

            let bob = try await console.mortise.addMember("bob@example.org", "member")
            let member = "/console/members/\(bob.id)"
            let ofBob = [("csrf", try await browser.get(member).field("csrf")), ("confirmation", "bob@example.org")]
            let removed = try await browser.post("\(member)/remove", ofBob)
            #expect(removed.location == "/console/members?done=member-removed")
            for form in ["/remove", "/sign-out", "/unbind", ""] {
                let answer = try await browser.post(member + form, ofBob)
                Self.expectMissing("member", "removed", "/console/members", answer)
            }
            Self.expectMissing("member", "removed", "/console/members", try await browser.get(member))
        }
    }
}
