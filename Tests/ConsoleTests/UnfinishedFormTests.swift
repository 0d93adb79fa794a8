import JSON
import NIOHTTP1
import ServerTestSupport
import TestSupport
import Testing

/// Forms that were answered with 503.
@Suite(.hangLimit) struct UnfinishedFormTests {
    private static let newKey = "/console/workspaces/default/keys/new"

    // A person has typed for long, and the database is away for a moment. A form that the person opens anew has another ticket, and could
    // create a second key whose token nobody sees.
    @Test func `a form that was answered with 503 is shown again, and does its work once`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let page = try await browser.get(Self.newKey)
            let database = try await console.mortise.workspaceDatabase()
            try await console.mortise.cutOff(database)
            let fields = [
                ("csrf", try page.field("csrf")), ("ticket", try page.field("ticket")), ("name", "typed for long"),
                ("description", "Of the shop"), ("mode", "live"), ("type", "service"), ("ends", "never"),
            ]
            let refused = try await browser.post(Self.newKey, fields)
            try await console.mortise.restore(database)
            #expect(refused.status == 503)
            #expect(refused.element("alert")?.contains("does nothing twice") == true, "\(refused.text)")
            let form = try #require(refused.text.components(after: "action=\"\(Self.newKey)\""))
            #expect(form.hiddenFields.first { $0.0 == "ticket" }?.1 == (try page.field("ticket")))
            try await eventually("the form has done its work") {
                let created = try await browser.post(Self.newKey, form.hiddenFields)
                return created.status == 201 && created.text.token != nil
            }
            let again = try await browser.post(Self.newKey, form.hiddenFields)
            #expect(again.text.token == nil)
            let list = try await console.mortise.api.get(
                "/v1/workspaces/default/service-keys",
                as: console.mortise.adminToken
            )
            #expect(list["data"]?.array?.filter { $0["name"] == "typed for long" }.count == 1, "\(list)")
        }
    }

    // What a person has just confirmed in this session can be sent again as it is. A secret is never shown again.
    @Test func `a confirmed change can be sent again, and a form with a password cannot`() async throws {
        try await withConsole { console in
            let key = try await console.mortise.makeKey("CI")
            let browser = try await console.browser("ada@example.org", "owner")
            let path = "/console/workspaces/default/keys/\(key.id)/revoke"
            let page = try await browser.get(path)
            let database = try await console.mortise.workspaceDatabase()
            try await console.mortise.cutOff(database)
            let fields = [
                ("csrf", try page.field("csrf")), ("confirmation", "CI"), ("reason", "Found in a log"),
            ]
            let refused = try await browser.post(path, fields)
            let secret = try await browser.post(path, fields + [("token", "a-typed-secret")])
            try await console.mortise.restore(database)
            #expect(refused.status == 503 && refused.text.contains(">Send again<"), "\(refused.text)")
            #expect(secret.status == 503 && !secret.text.contains("a-typed-secret"))
            let form = try #require(refused.text.components(after: "action=\"\(path)\""))
            try await eventually("the key is revoked") {
                try await browser.post(path, form.hiddenFields).location?.hasSuffix("done=revoked") == true
            }
            #expect(try await console.mortise.verdict(key.token) == "revoked")
        }
    }

    @Test func `a page of an operator that is answered with 503 says when to try again, too`() async throws {
        try await withConsole { console in
            let browser = try await console.operatorBrowser()
            let path = "/console/platform/workspaces"
            let page = try await browser.get(path)
            let workspace = try await console.mortise.api.get("/v1/workspaces/default", as: console.mortise.adminToken)
            let database = try await console.mortise.workspaceDatabase()
            try await console.mortise.cutOff(database)
            let refused = try await browser.post(
                path,
                [("csrf", try page.field("csrf")), ("workspace", try workspace.string("id")), ("state", "suspended")]
            )
            try await console.mortise.restore(database)
            #expect(refused.status == 503, "\(refused.text)")
            #expect(refused.headers.first(name: "Retry-After") != nil)
        }
    }
}
