import JSON
import ServerTestSupport
import TestSupport
import Testing

/// An organization chooses its reaction to leaked tokens and its notices by itself.
@Suite(.hangLimit) struct OrganizationSettingsTests {
    private static let path = "/v1/organizations/default"
    private static let change: JSONValue = [
        "leak_action": "notify", "expiry_notice_days": [14], "unused_after_days": 30,
    ]

    private static func settings(_ mortise: ServerHarness) async throws -> [JSONValue] {
        let answer = try await mortise.api.get(path, as: mortise.operatorToken)
        return ["leak_action", "expiry_notice_days", "unused_after_days", "name", "slug"].map { answer[$0] ?? "absent" }
    }

    @Test func `owners, admins and admin keys of an organization choose its reaction to leaks and its notices`()
        async throws
    {
        try await withMortise { mortise in
            let callers = [
                ("owner", try await mortise.session("owner@example.org", "owner")),
                ("admin", try await mortise.session("admin@example.org", "admin")),
                ("key", try await mortise.makeAdmin(["keys:write", "webhooks:write"]).token),
                ("operator", mortise.operatorToken),
            ]
            for (name, token) in callers {
                let changed = try await mortise.api.send("PATCH", Self.path, Self.change, as: token)
                #expect(changed.status == 200 && changed["leak_action"] == "notify", "\(name): \(changed)")
                let cleared: JSONValue = [
                    "leak_action": .null, "expiry_notice_days": .null, "unused_after_days": .null,
                ]
                let standard = try await mortise.api.send("PATCH", Self.path, cleared, as: token)
                #expect(standard.status == 200 && standard["leak_action"] == .null, "\(name): \(standard)")
            }
            let events = try await mortise.api.get("\(Self.path)/events?type=organization.updated", as: callers[0].1)
            #expect(events["data"]?.array?.count == 2 * callers.count, "\(events)")
        }
    }

    // The attack: whoever holds a stolen token with few rights has leaked tokens stay alive.
    @Test func `a credential without the rights over all keys and webhooks changes nothing of an organization`()
        async throws
    {
        try await withMortise { mortise in
            let admins = "\(Self.path)/admin-keys"
            let rights: JSONValue = ["keys:write", "webhooks:write"]
            let test = try await mortise.api.post(
                admins,
                ["name": "test", "mode": "test", "permissions": rights],
                as: mortise.adminToken
            )
            let replaced = try await mortise.api.post(
                admins,
                ["name": "replaced", "permissions": rights],
                as: mortise.adminToken
            )
            let id = try replaced.string("key", "id")
            let rotated = try await mortise.api.post("\(admins)/\(id)/rotate", as: mortise.adminToken)
            try #require(rotated.status == 200)
            let workspace = try await mortise.api.get("/v1/workspaces/default", as: mortise.adminToken).string("id")
            let local = try await mortise.session("local@example.org", "admin", workspace: workspace)
            let callers = [
                ("keys alone", try await mortise.makeAdmin(["keys:read", "keys:write"]).token),
                ("webhooks alone", try await mortise.makeAdmin(["webhooks:read", "webhooks:write"]).token),
                ("test", try test.string("token")),
                ("replaced", try replaced.string("token")),
                ("auditor", try await mortise.session("auditor@example.org", "auditor")),
                ("member", try await mortise.session("member@example.org", "member")),
                ("admin of one workspace", local),
            ]
            let before = try await Self.settings(mortise)
            for (name, token) in callers {
                let refused = try await mortise.api.send("PATCH", Self.path, Self.change, as: token)
                #expect(refused.status == 403, "\(name): \(refused)")
            }
            let other = try await mortise.makeOrganization("Other")
            let foreign = try await mortise.api.send("PATCH", Self.path, Self.change, as: other.token)
            #expect(foreign.status == 404, "\(foreign)")
            #expect(try await Self.settings(mortise) == before)
        }
    }

    // The attack: a tenant takes the slug or the prefix of tokens by which others know somebody else.
    @Test(arguments: ["name", "slug", "token_prefix"])
    func `an organization cannot change what only operators change, not even beside other settings`(_ member: String)
        async throws
    {
        try await withMortise { mortise in
            let owner = try await mortise.session("owner@example.org", "owner")
            let before = try await Self.settings(mortise)
            for token in [owner, mortise.adminToken] {
                let body: JSONValue = .object([member: "acme", "leak_action": "notify"])
                let refused = try await mortise.api.send("PATCH", Self.path, body, as: token)
                #expect(refused.status == 403 && refused["detail"]?.string?.contains("Only operators") == true)
            }
            #expect(try await Self.settings(mortise) == before)
        }
    }
}
