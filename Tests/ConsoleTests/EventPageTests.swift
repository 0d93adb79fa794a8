import JSON
import Server
import ServerTestSupport
import Service
import TestSupport
import Testing

/// The history in the console.
@Suite(.hangLimit) struct EventPageTests {
    private static let events = "/console/workspaces/default/events"

    @Test func `events are filtered by the address of a member, and by the name or the token of a key`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            _ = try await browser.createKey("of Ada")
            let admin = try await console.mortise.makeAdmin(["keys:read", "keys:write"])
            _ = try await console.mortise.makeKey("of a key", as: admin.token)
            let beginning = String(admin.token.prefix(14))
            for (actor, isAda) in [
                ("ADA%40example.org", true), ("admin%20keys%3Aread%20keys%3Awrite", false), (beginning, false),
                ("admin-key%3A\(admin.id)", false),
            ] {
                let page = try await browser.get("\(Self.events)?actor=\(actor)")
                #expect(page.status == 200)
                #expect(page.text.contains(">of Ada<") == isAda, "\(actor)")
                #expect(page.text.contains(">of a key<") != isAda, "\(actor)")
                let file = try await browser.get("\(Self.events).csv?actor=\(actor)")
                #expect(file.status == 200 && file.text.contains("of Ada") == isAda, "\(actor)")
            }
        }
    }

    // A person cannot tell which workspace was suspended, or whose role was changed, by an id.
    @Test func `the history names workspaces, members and webhooks, and says values in words`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (api, token) = (console.mortise.api, console.mortise.adminToken)
            let organization = "/v1/organizations/default"
            let made = try await api.post("\(organization)/workspaces", ["name": "Production hall"], as: token)
            #expect(made.status == 201)
            #expect(try await api.post("/v1/workspaces/production-hall/suspend", as: token).status == 200)
            let eve = try await console.mortise.addMember("eve@example.org", "auditor")
            let member = "\(organization)/members/\(eve.id)"
            #expect(try await api.send("PATCH", member, ["role": "admin"], as: token).status == 200)
            let hook: JSONValue = ["url": "https://hooks.example.org/secret", "event_types": ["key.*"]]
            let webhook = try await api.post("\(organization)/webhooks", hook, as: token)
            let id = try #require(webhook["webhook"]?["id"]?.string)
            #expect(try await api.send("DELETE", "\(organization)/webhooks/\(id)", as: token).status == 204)
            let page = try await browser.get("/console/events").text
            let suspension = try #require(page.components(after: "<b>Workspace suspended</b>"))
            #expect(suspension.prefix(80).contains("Production hall"), "\(suspension.prefix(80))")
            let change = try #require(page.components(after: "<b>Member changed</b>")).prefix(700)
            #expect(change.contains(">eve@example.org<") && change.contains(">auditor<"), "\(change)")
            let deletion = try #require(page.components(after: "<b>Webhook deleted</b>")).prefix(500)
            #expect(deletion.contains("https://hooks.example.org/…") && !deletion.contains("/secret"), "\(deletion)")
            for hidden in [id, eve.id, "<dt>session</dt>"] { #expect(!page.contains(hidden), "\(hidden)") }

            let settings: JSONValue = [
                "type": "anon", "expires_at": "2100-01-01T00:00:00Z", "allowed_ips": ["192.0.2.0/24"],
            ]
            let key = try await console.mortise.makeKey("of the shop", settings)
            let rotation: JSONValue = ["grace_period_seconds": 604_800]
            #expect(try await api.post("\(key.path)/rotate", rotation, as: token).status == 200)
            let history = try await browser.get(Self.events).text
            for (label, value) in [
                ("type", "<bdi>publishable"), ("allowed addresses", "<bdi>192.0.2.0/24"),
                ("grace period", "<bdi>7 days"),
                // A script shows it in the reader's zone.
                ("ends", "<bdi data-utc=\"2100-01-01T00:00:00.000Z\">1 Jan 2100, 00:00 UTC"),
            ] {
                #expect(history.contains("<dt>\(label)</dt><dd>\(value)</bdi></dd>"), "\(label)")
            }
        }
    }

    // The attack: a tenant makes events with very long lists, and has the files of them written, in the memory that all tenants share.
    @Test func `a file of events or keys with too many bytes is refused, and so is such a list`() async throws {
        try await withConsole(configure: { $0.quotas.listBytes = 20_000 }) { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let (api, token) = (console.mortise.api, console.mortise.adminToken)
            let (verb, resource) = (String(repeating: "v", count: 36), String(repeating: "r", count: 60))
            let scopes = JSONValue.array((0..<80).map { .string("\($0)\(verb):\(resource)") })
            func statuses() async throws -> [Int] {
                [
                    try await browser.get("\(Self.events).csv").status,
                    try await browser.get("/console/workspaces/default/keys.csv").status,
                    try await api.get("/v1/workspaces/default/events", as: token).status,
                ]
            }
            for (number, expected) in [(1, [200, 200, 200]), (2, [200, 200, 200]), (3, [409, 409, 409])] {
                _ = try await console.mortise.makeKey("fat \(number)", ["scopes": scopes])
                #expect(try await statuses() == expected, "\(number) keys")
            }
            #expect(try await api.get("/v1/workspaces/default/events?limit=1", as: token).status == 200)
        }
    }

    // A person took the first 10,000 keys for all of them.
    @Test func `a file that ends before its list says so, and one with the whole list does not`() async throws {
        try await withConsole(configure: { $0.quotas.fileRows = 3 }) { console in
            let browser = try await console.browser("ada@example.org", "owner")
            for number in 1...3 { _ = try await console.mortise.makeKey("key \(number)") }
            let (keys, note) = ("/console/workspaces/default/keys.csv", "Only the first 3 rows are in this file.")
            let whole = try await browser.get(keys).text
            #expect(whole.contains("key 1") && !whole.contains(note))
            _ = try await console.mortise.makeKey("key 4")
            let cut = try await browser.get(keys).text
            #expect(cut.contains("key 2") && !cut.contains("key 1") && cut.contains("\"\(note)"), "\(cut)")
            #expect(try await browser.get("\(Self.events).csv").text.contains("\"\(note)"))
        }
    }

    // A person took all events for those of the days that were asked for.
    @Test func `a filter by a day that there is not says so, and shows no event`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            let created = try await browser.createKey("of Ada")
            let key = try #require(created.text.components(after: "href=\"/console/workspaces/default/keys/0"))
            let history = "/console/workspaces/default/keys/0\(key.prefix { $0 != "\"" })/events"
            for place in [Self.events, "/console/events", history] {
                for day in ["2026-02-30", "yesterday", "1%20Jan%202026"] {
                    for (field, label) in [("since", "From"), ("until", "To")] {
                        let page = try await browser.get("\(place)?\(field)=\(day)")
                        let sentence = "in “\(label)” is no day; enter one such as 2026-01-31."
                        #expect(page.status == 200 && page.text.contains(sentence), "\(place), \(day)")
                        #expect(!page.text.contains("<li class=\"t-"), "\(place), \(day)")
                        guard place != history else { continue }
                        let file = try await browser.get("\(place).csv?\(field)=\(day)")
                        #expect(file.status == 400 && file.text.contains(sentence), "\(place), \(day)")
                    }
                }
                let all = try await browser.get("\(place)?since=yesterday&until=today&actor=nobody").text
                for text in ["in “From”", "in “To”", "No member has"] { #expect(all.contains(text), "\(text)") }
                let found = try await browser.get("\(place)?since=2020-01-01&until=9000-01-01").text
                #expect(found.contains("<li class=\"t-"), "\(place)")
            }
        }
    }

    @Test func `a filter by an actor whom nobody knows says so, and shows no event`() async throws {
        try await withConsole { console in
            let browser = try await console.browser("ada@example.org", "owner")
            _ = try await browser.createKey("of Ada")
            for place in [Self.events, "/console/events"] {
                for actor in ["nobody%40example.org", "No%20such%20key", "mks_live_nothing", "%25"] {
                    let page = try await browser.get("\(place)?actor=\(actor)")
                    #expect(page.status == 200 && page.text.contains("No member has the e-mail address"), "\(actor)")
                    #expect(!page.text.contains("<li class=\"t-"), "\(actor)")
                }
                #expect(try await browser.get("\(place).csv?actor=nobody%40example.org").status == 400)
            }
        }
    }
}
