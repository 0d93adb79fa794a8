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
            #expect(before.text.contains("None of its keys was verified in the last 24 hours."))
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

    // With a thousand workspaces, nobody turns eighty pages.
    @Test func `the first page finds workspaces by a part of the name or the slug`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (api, token) = (console.mortise.api, console.mortise.adminToken)
            let body: JSONValue = ["name": "Quartz <b>", "slug": "lab"]
            let made = try await api.post("/v1/organizations/default/workspaces", body, as: token)
            #expect(made.status == 201)
            let whole = try await browser.get("/console/")
            #expect(whole.text.contains("/workspaces/lab\"") && whole.text.contains("/workspaces/default\""))
            #expect(!whole.text.contains("Search workspaces"), "two workspaces need no search")
            for query in ["quart", "LAB"] {
                let found = try await browser.get("/console/?q=\(query)")
                #expect(found.text.contains("/workspaces/lab\"") && !found.text.contains("/workspaces/default\""))
                #expect(found.text.contains("value=\"\(query)\""))
            }
            let none = try await browser.get("/console/?q=%22%3E%3Cb%3E")
            #expect(none.text.contains("No workspace matches") && !none.text.contains("\"><b>"))
        }
    }

    // A bookmark, a link in a chat and a page in another tab have the old slug.
    @Test func `an address with the old slug of a workspace leads to the same page under the new one`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (api, token) = (console.mortise.api, console.mortise.adminToken)
            let made = try await api.post("/v1/organizations/default/workspaces", ["name": "Trial"], as: token)
            #expect(made.status == 201)
            let key = try await console.mortise.makeKey("CI", in: "trial")
            let (old, new) = ("/console/workspaces/trial", "/console/workspaces/final")
            let page = try await browser.get("\(old)/keys/\(key.id)")
            for (slug, next) in [("trial", "beta"), ("beta", "final")] {
                let renamed = try await api.send("PATCH", "/v1/workspaces/\(slug)", ["slug": .string(next)], as: token)
                #expect(renamed.status == 200, "\(renamed)")
            }
            for (path, target) in [
                (old, new), ("\(old)/client-keys?q=a%20b", "\(new)/client-keys?q=a%20b"),
                ("\(old)/events.csv", "\(new)/events.csv"), ("\(old)/keys/\(key.id)", "\(new)/keys/\(key.id)"),
                ("/console/workspaces/beta/settings", "\(new)/settings"),
            ] {
                let answer = try await browser.get(path)
                #expect(answer.status == 307 && answer.location == target, "\(path): \(answer)")
            }
            // The browser sends the form of an old page again, to the new address.
            let form = [("csrf", try page.field("csrf"))]
            let sent = try await browser.post("\(old)/keys/\(key.id)/disable", form)
            #expect(sent.status == 307)
            let disabled = try await browser.post(try #require(sent.location), form)
            #expect(disabled.location == "\(new)/keys/\(key.id)?done=disabled")

            // A member who does not see the workspace does not learn its name.
            let home = try await api.get("/v1/workspaces/default", as: token).string("id")
            let confined = try await console.browser("eve@example.org", "auditor", workspace: home)
            for path in [old, "/console/workspaces/nothing"] {
                let refused = try await confined.get(path)
                #expect(refused.status == 404 && refused.location == nil && !refused.text.contains("final"))
                #expect(refused.element("alert")?.contains("It was renamed or deleted") == true)
                #expect(refused.text.contains(">Show the workspaces</a>"))
            }
        }
    }

    // The accident: the slug of an old page is another workspace's now, whose keys are stopped instead.
    @Test func `a form of an old page finds the workspace after its slug was given to another one`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (api, token) = (console.mortise.api, console.mortise.adminToken)
            let workspaces = "/v1/organizations/default/workspaces"
            #expect(try await api.post(workspaces, ["name": "Trial"], as: token).status == 201)
            let old = try await browser.get("/console/workspaces/trial/settings")
            let moved = try await api.send("PATCH", "/v1/workspaces/trial", ["slug": "trial-old"], as: token)
            #expect(moved.status == 200)
            #expect(try await api.post(workspaces, ["name": "Trial"], as: token)["slug"] == "trial")
            let rest = try #require(old.text.components(after: "method=\"post\" action=\"/console/workspaces/"))
            let action = "/console/workspaces/\(rest.prefix { $0 != "\"" })"
            let form = [("csrf", try old.field("csrf")), ("state", "suspended")]
            let suspended = try await browser.post("\(action)/state", form)
            #expect(suspended.location == "/console/workspaces/trial-old/settings?done=suspended")
            #expect(try await api.get("/v1/workspaces/trial", as: token)["state"] == "active")
            #expect(try await api.get("/v1/workspaces/trial-old", as: token)["state"] == "suspended")
            // The page of a key that is in the other workspace is no reason to go there.
            #expect(try await browser.get("/console/workspaces/trial/keys/nothing").status == 404)
        }
    }

    // The page offered to resume what an operator had suspended, and so did the form of a page that was open before.
    @Test func `a workspace that an operator suspended says so, and has no button to resume it`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let api = console.mortise.api
            let workspace = try await api.get("/v1/workspaces/default", as: console.mortise.adminToken)
            let path = "/v1/workspaces/\(try workspace.string("id"))"
            #expect(try await api.post("\(path)/suspend", as: console.mortise.operatorToken).status == 200)
            let settings = "/console/workspaces/default/settings"
            let page = try await browser.get(settings)
            #expect(page.text.contains("only an operator can undo that") && !page.text.contains("Resume workspace"))
            let resumed = try await browser.submit(settings, to: "\(settings)/state", [("state", "active")])
            #expect(resumed.status == 409 && resumed.text.contains("only an operator can undo that"))
            #expect(try await api.get(path, as: console.mortise.adminToken)["state"] == "suspended")
        }
    }

    // The page offered what is always refused: new secrets need an active workspace.
    @Test func `a suspended workspace offers no new key and no rotation`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (api, token) = (console.mortise.api, console.mortise.adminToken)
            let made = try await api.post("/v1/organizations/default/workspaces", ["name": "Trial"], as: token)
            #expect(made.status == 201)
            let key = try await console.mortise.makeKey("CI", in: "trial")
            let (list, page) = ("/console/workspaces/trial", "/console/workspaces/trial/keys/\(key.id)")
            #expect(try await browser.get(list).text.contains(">Create key<"))
            #expect(try await browser.get(page).text.contains(">Rotate</button>"))
            #expect(try await api.post("/v1/workspaces/trial/suspend", as: token).status == 200)
            for path in [list, "\(list)/client-keys", page] {
                let text = try await browser.get(path).text
                #expect(!text.contains(">Create key<") && !text.contains("Create the first key"), "\(path)")
                #expect(!text.contains(">Rotate</button>"), "\(path)")
            }
            #expect(try await browser.get(page).text.contains(">Revoke</button>"))
            #expect(try await browser.get("\(list)/keys/new").location == list)
            #expect(try await browser.get("\(page)/rotate").location == page)
        }
    }
}
