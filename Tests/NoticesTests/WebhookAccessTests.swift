import HTTPTestSupport
import JSON
import Keys
import Server
import ServerTestSupport
import TestSupport
import Testing

@Suite(.hangLimit) struct WebhookAccessTests {
    private static let path = "/v1/organizations/default/webhooks"
    private static let new: JSONValue = ["url": "https://example.com/hook", "event_types": ["key.*"]]

    // The attack: a key of another organization, an operator, or a key from before webhooks reads or changes a webhook.
    @Test func `only credentials of the organization with the permission reach its webhooks`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let webhook = try await mortise.makeWebhook("https://example.com/hook")
            let other = try await api.post("/v1/organizations", ["name": "Other"], as: mortise.operatorToken)
            let stranger = try #require(other["token"]?.string)
            let old = try await mortise.makeAdmin([
                "keys:read", "keys:write", "keys:verify", "workspaces:write", "members:write", "events:read",
            ])
            let reader = try await mortise.makeAdmin(["webhooks:read"])
            for (token, status) in [
                (stranger, 404), (mortise.operatorToken, 403), (old.token, 403), (reader.token, 200),
            ] {
                #expect(try await api.get(webhook.path, as: token).status == status)
                #expect(try await api.get("\(webhook.path)/deliveries", as: token).status == status)
            }
            let foreign = "/v1/organizations/other/webhooks/\(webhook.id)"
            #expect(try await api.get(foreign, as: stranger).status == 404)
            for call in ["enable", "disable", "rotate-secret", "test"] {
                for (token, status) in [(stranger, 404), (mortise.operatorToken, 403), (reader.token, 403)] {
                    #expect(try await api.post("\(webhook.path)/\(call)", as: token).status == status, "\(call)")
                }
                #expect(try await api.post("\(foreign)/\(call)", as: stranger).status == 404, "\(call)")
            }
            #expect(try await api.send("DELETE", foreign, as: stranger).status == 404)
            #expect(try await api.post(Self.path, Self.new, as: reader.token).status == 403)
            #expect(try await api.get(Self.path, as: reader.token)["data"]?.array?.count == 1)
        }
    }

    // The attack: a key that reads no events has them sent to its owner.
    @Test func `a key that reads no events decides about no receiver of them`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let webhook = try await mortise.makeWebhook("https://example.com/hook")
            let blind = try await mortise.makeAdmin(["webhooks:read", "webhooks:write"])
            let changes: [JSONValue] = [["url": "https://example.com/other"], ["event_types": ["*"]]]
            var refusals = [try await api.post(Self.path, Self.new, as: blind.token)]
            for change in changes {
                refusals.append(try await api.send("PATCH", webhook.path, change, as: blind.token))
            }
            for refusal in refusals {
                #expect(refusal.status == 403, "\(refusal)")
                #expect(refusal["detail"]?.string?.contains("\"events:read\"") == true, "\(refusal)")
            }
            #expect(try await api.get(webhook.path, as: blind.token)["url"] == "https://example.com/hook")
            // What somebody stopped who reads events does not go on because of somebody who reads none.
            #expect(try await api.post("\(webhook.path)/disable", as: blind.token).status == 200)
            #expect(try await api.post("\(webhook.path)/enable", as: blind.token).status == 403)
            let seeing = try await mortise.makeAdmin(["webhooks:write", "events:read"])
            #expect(try await api.post(Self.path, Self.new, as: seeing.token).status == 201)
            #expect(try await api.send("PATCH", webhook.path, changes[0], as: seeing.token).status == 200)
            #expect(try await api.post("\(webhook.path)/enable", as: seeing.token).status == 200)
        }
    }

    // The attack: a key for an hour, one address or a few calls, which somebody has stolen, has all events sent to the thief from then on.
    @Test(
        arguments: [
            ["expires_at": "2090-01-01T00:00:00Z"], ["allowed_ips": ["127.0.0.1"]], ["rate_limit_per_minute": 100_000],
        ] as [JSONValue]
    )
    func `an admin key with restrictions decides about no receiver of events, and can stop one`(_ bound: JSONValue)
        async throws
    {
        try await withMortise { mortise in
            let api = mortise.api
            let webhook = try await mortise.makeWebhook("https://example.com/hook")
            var settings = bound.object ?? JSONObject()
            settings["name"] = "bound"
            settings["permissions"] = ["webhooks:read", "webhooks:write", "events:read"]
            let keys = "/v1/organizations/default/admin-keys"
            let token = try await api.post(keys, .object(settings), as: mortise.adminToken).string("token")
            let change: JSONValue = ["url": "https://example.com/other"]
            #expect(try await api.post("\(webhook.path)/disable", as: token).status == 200)
            for refusal in [
                try await api.post(Self.path, Self.new, as: token),
                try await api.send("PATCH", webhook.path, change, as: token),
                try await api.post("\(webhook.path)/enable", as: token),
                try await api.post("\(webhook.path)/rotate-secret", as: token),
            ] {
                #expect(refusal.status == 403, "\(refusal)")
                #expect(refusal["detail"]?.string?.contains("without these restrictions") == true, "\(refusal)")
            }
            let now = try await api.get(webhook.path, as: token)
            #expect(now["url"] == "https://example.com/hook" && now["enabled"] == false, "\(now)")
            #expect(try await api.send("DELETE", webhook.path, as: token).status == 204)
        }
    }

    @Test func `wrong settings are refused, each with its place`() async throws {
        try await withMortise { mortise in
            for (body, pointer) in [
                (["url": "http://example.com", "event_types": ["*"]], "/url"),
                (["url": "https://example.com", "event_types": ["key.*", "key.nothing"]], "/event_types/1"),
                (["url": "https://example.com", "event_types": []], "/event_types"),
            ] as [(JSONValue, String)] {
                let answer = try await mortise.api.post(Self.path, body, as: mortise.adminToken)
                #expect(answer.status == 422 || answer.status == 400, "\(answer)")
                #expect(answer.text.contains(pointer), "\(answer)")
            }
        }
    }

    @Test func `a repeated request creates one webhook, with the same secret`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let first = try await api.post(Self.path, Self.new, as: mortise.adminToken, key: "once")
            let second = try await api.post(Self.path, Self.new, as: mortise.adminToken, key: "once")
            #expect(first.status == 201 && second.status == 201)
            #expect(first["secret"] == second["secret"] && first["webhook"]?["id"] == second["webhook"]?["id"])
            #expect(try await api.get(Self.path, as: mortise.adminToken)["data"]?.array?.count == 1)
            let id = try #require(first["webhook"]?["id"]?.string)
            let rotation = "\(Self.path)/\(id)/rotate-secret"
            let rotated = try await api.post(rotation, as: mortise.adminToken, key: "again")
            let repeated = try await api.post(rotation, as: mortise.adminToken, key: "again")
            #expect(rotated.status == 200 && repeated.status == 200)
            #expect(rotated["secret"] == repeated["secret"] && rotated["secret"] != first["secret"])
            #expect(rotated["webhook"]?["id"]?.string == id && repeated["webhook"]?["id"]?.string == id)
            #expect(try await api.post(Self.path, Self.new, as: mortise.adminToken, key: "once").status == 409)
            _ = try await api.post(rotation, as: mortise.adminToken)
            #expect(try await api.post(rotation, as: mortise.adminToken, key: "again").status == 409)
        }
    }

    // The attack: an admin learns by a webhook which workspaces of another organization exist.
    @Test func `a webhook for a workspace of another organization is refused like one for an unknown workspace`()
        async throws
    {
        try await withMortise { mortise in
            let other = try await mortise.makeOrganization("Other")
            var answers: [Answer] = []
            for workspace in [other.workspaceID, "0198c0de-0000-7000-8000-00000000abcd"] {
                let body: JSONValue = [
                    "url": "https://example.com", "event_types": ["*"], "workspace_id": .string(workspace),
                ]
                let path = "/v1/organizations/default/webhooks"
                answers.append(try await mortise.api.post(path, body, as: mortise.adminToken))
            }
            for answer in answers { #expect(answer.status == 400 && answer.pointers == ["/workspace_id"], "\(answer)") }
            #expect(answers[0].comparable == answers[1].comparable)
        }
    }

    @Test func `each change of a webhook leaves an event, and a webhook of a workspace gets only its events`()
        async throws
    {
        try await ScriptedServer.with { _ in
            .json("{}")
        } _: { receiver in
            try await withMortise(configure: { try? $0.allowLoopback() }) { mortise in
                let api = mortise.api
                let made = try await api.post(
                    "/v1/organizations/default/workspaces",
                    ["name": "Shop", "slug": "shop"],
                    as: mortise.adminToken
                )
                let workspace = try #require(made["id"]?.string)
                let webhook = try await mortise.makeWebhook(receiver.url, ["*"], ["workspace_id": .string(workspace)])
                _ = try await mortise.makeServiceKey("elsewhere")
                let shop = try await api.post(
                    "/v1/workspaces/shop/service-keys",
                    ["name": "here"],
                    as: mortise.adminToken
                )
                #expect(shop.status == 201)
                try await eventually("the key's event arrives") {
                    receiver.requests.contains { $0.type == "key.created" }
                }
                #expect(receiver.requests.allSatisfy { $0.json["data"]?["workspace_id"]?.string == workspace })
                #expect(receiver.requests.filter { $0.type == "key.created" }.count == 1)
                let patched = try await api.send(
                    "PATCH",
                    webhook.path,
                    [
                        "description": "d", "event_types": ["key.*"],
                        "url": .string("\(receiver.url)/hidden-path?token=hidden"),
                    ],
                    as: mortise.adminToken
                )
                #expect(patched["description"] == "d" && patched["event_types"] == ["key.*"])
                for call in ["disable", "enable", "rotate-secret"] {
                    #expect(try await api.post("\(webhook.path)/\(call)", as: mortise.adminToken).status == 200)
                }
                #expect(try await api.send("DELETE", webhook.path, as: mortise.adminToken).status == 204)
                #expect(try await api.get(webhook.path, as: mortise.adminToken).status == 404)
                let events = try await api.get("/v1/organizations/default/events?limit=100", as: mortise.adminToken)
                // A path or a query is often a credential, and events have more readers.
                #expect(!events.text.contains("hidden"))
                #expect(events.text.contains("http://127.0.0.1:\(receiver.port)/…"), "\(events.text)")
                let types = (events["data"]?.array ?? []).compactMap { $0["type"]?.string }
                for type in ["created", "updated", "disabled", "enabled", "secret_rotated", "deleted"] {
                    #expect(types.contains("webhook.\(type)"), "\(type)")
                }
            }
        }
    }
}
