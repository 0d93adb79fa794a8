import JSON
import ServerTestSupport
import TestSupport
import Testing

/// The settings of a workspace in the console.
@Suite(.hangLimit) struct WorkspacePageTests {
    // A person who archives the wrong workspace must find the way back where the mistake was made.
    @Test func `an archived workspace says how long it can be restored, and a button restores it`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (api, token) = (console.mortise.api, console.mortise.adminToken)
            let made = try await api.post("/v1/organizations/default/workspaces", ["name": "Trial"], as: token)
            #expect(made.status == 201)
            let settings = "/console/workspaces/trial/settings"
            let before = try await browser.get(settings)
            #expect(before.text.contains("you can restore the workspace for 30 days"))
            #expect(!before.text.contains("Restore workspace"))
            let archival = [("state", "archived"), ("confirmation", "trial")]
            let archived = try await browser.submit(settings, to: "\(settings)/state", archival)
            #expect(archived.location == "\(settings)?done=archived")
            let page = try await browser.get(settings)
            #expect(page.text.contains("You can restore it until") && page.text.contains("Restore workspace"))
            let restored = try await browser.submit(settings, to: "\(settings)/state", [("state", "restored")])
            #expect(restored.location == "\(settings)?done=restored")
            let workspace = try await api.get("/v1/workspaces/trial", as: token)
            #expect(workspace["state"] == "active")
        }
    }
}
