import JSON
import ServerTestSupport
import TestSupport
import Testing

/// The pages of members.
@Suite(.hangLimit) struct MemberPageTests {
    private static let list = "/console/members"

    // The accident: a program between the browser and the server damages the field that confines a role to a workspace.
    @Test(arguments: [[("workspace", "x")], []])
    func `a damaged or missing workspace is no role in the whole organization`(_ place: [(String, String)]) async throws
    {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let fields = [("email", "bob@example.org"), ("role", "admin")]
            let refused = try await browser.submit(Self.list, to: Self.list, fields + place)
            #expect(refused.status == 404)
            let found = try await console.mortise.api.get(
                "/v1/organizations/default/members?query=bob",
                as: console.mortise.adminToken
            )
            #expect(found["data"]?.array?.isEmpty == true, "\(found)")
            let added = try await browser.submit(Self.list, to: Self.list, fields + [("workspace", "")])
            #expect(added.location == "\(Self.list)?done=member-added")
        }
    }

    @Test func `the page of a member does not show the sessions of a user with a role elsewhere`() async throws {
        try await withConsole { console in
            let mortise = console.mortise
            let shop = try await mortise.api.post(
                "/v1/organizations/default/workspaces",
                ["name": "Shop"],
                as: mortise.adminToken
            )
            let id = try shop.string("id")
            _ = try await mortise.addMember("ada@example.org", "owner")
            _ = try await mortise.signIn("ada@example.org")
            let further = try await mortise.addMember("ada@example.org", "member", workspace: id)
            let browser = try await console.browser("mal@example.org", "admin", workspace: id)
            let path = "\(Self.list)/\(further.id)"
            let page = try await browser.get(path)
            #expect(page.status == 200 && page.text.contains("Those who manage that role see the sessions."))
            #expect(!page.text.contains("\(path)/sign-out"))
            let refused = try await browser.submit(path, to: "\(path)/sign-out")
            #expect(refused.status == 403)
        }
    }

    // The page offered what is always refused.
    @Test func `an admin sees no form to change an owner, and no owner among the roles to give`() async throws {
        try await withConsole { console in
            let owner = try await console.mortise.addMember("ada@example.org", "owner")
            let auditor = try await console.mortise.addMember("aud@example.org", "auditor")
            let browser = try await console.browser("adm@example.org", "admin")
            _ = try await console.mortise.signIn("ada@example.org")
            let ofOwner = try await browser.get("\(Self.list)/\(owner.id)")
            #expect(ofOwner.text.contains("Only an owner changes or removes an owner."))
            #expect(!ofOwner.text.contains("End all sessions"))
            #expect(!ofOwner.text.contains("Remove member") && !ofOwner.text.contains("id=\"role\""))
            for path in [Self.list, "\(Self.list)/\(auditor.id)"] {
                let page = try await browser.get(path)
                #expect(page.text.contains("value=\"auditor\"") && !page.text.contains("value=\"owner\""), "\(path)")
            }
            let first = console.browser()
            _ = try await first.signIn("ada@example.org")
            #expect(try await first.get("\(Self.list)/\(owner.id)").text.contains("Remove member"))
            #expect(try await first.get(Self.list).text.contains("value=\"owner\""))
        }
    }

    @Test func `an admin of one workspace adds members there, and not to the whole organization`() async throws {
        try await withConsole { console in
            let api = console.mortise.api
            let id = try await api.get("/v1/workspaces/default", as: console.mortise.adminToken).string("id")
            let browser = try await console.browser("adm@example.org", "admin", workspace: id)
            let page = try await browser.get(Self.list)
            #expect(page.text.contains("<option value=\"\(id)\"") && !page.text.contains("Whole organization</option>"))
        }
    }
}
