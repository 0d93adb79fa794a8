import JSON
import ServerTestSupport
import TestSupport
import Testing

/// Settings of keys: a given value is stored, an absent member is unchanged, and null clears a setting.
@Suite(.hangLimit) struct KeySettingsTests {
    private static let full: JSONValue = [
        "name": "full", "description": "what for", "type": "anon", "mode": "test", "scopes": ["read:*", "*", "read:*"],
        "allowed_namespaces": ["eu"], "allowed_ips": ["192.0.2.1/32", "2001:DB8::/32"], "rate_limit_per_minute": 10,
        "rate_limit_per_hour": 100, "expires_at": "2099-01-01T01:00:00+01:00", "metadata": ["a": ["b": nil]],
    ]

    @Test func `every setting is stored in its canonical form and has a default`() async throws {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let made = try await api.post(ServerHarness.keys(), Self.full, as: admin)
            let id = try made.string("key", "id")
            let key = try await api.get("\(ServerHarness.keys())/\(id)", as: admin)
            #expect(key.json["id"] == made["key", "id"])
            #expect(key["scopes"] == ["read:*", "*"])
            #expect(key["allowed_ips"] == ["192.0.2.1", "2001:db8::/32"])
            #expect(key["expires_at"] == "2099-01-01T00:00:00.000Z")
            #expect(key["metadata"] == ["a": ["b": nil]])
            #expect(key["type"] == "anon")
            #expect(key["mode"] == "test")
            let prefix = try key.string("prefix")
            #expect(try made.string("token").hasPrefix(prefix) && prefix.utf8.count == 16)
            #expect(prefix.hasPrefix("mkp_test_"))
            #expect(try key.string("created_by").hasPrefix("admin-key:"))

            let bare = try await api.get(try await mortise.makeKey("bare").path, as: admin)
            for (name, value) in [
                ("description", nil), ("type", "service"), ("mode", "live"), ("scopes", []),
                ("allowed_namespaces", nil),
                ("allowed_ips", []), ("rate_limit_per_minute", nil), ("expires_at", nil), ("metadata", [:]),
                ("status", "active"),
            ] as [(String, JSONValue)] {
                #expect(bare[name] == value, "\(name)")
            }

            try await patches(mortise, "\(ServerHarness.keys())/\(id)")
        }
    }

    private func patches(_ mortise: ServerHarness, _ path: String) async throws {
        let (api, admin) = (mortise.api, mortise.adminToken)
        let before = try await api.get(path, as: admin)
        let none = try await api.send("PATCH", path, [:], as: admin)
        #expect(none.json == before.json)
        let renamed = try await api.send("PATCH", path, ["name": "renamed"], as: admin)
        #expect(renamed["name"] == "renamed")
        #expect(renamed["description"] == "what for")
        #expect(renamed["rate_limit_per_hour"] == 100)
        let cleared = try await api.send(
            "PATCH",
            path,
            [
                "description": nil, "allowed_namespaces": nil, "allowed_ips": nil, "rate_limit_per_minute": nil,
                "rate_limit_per_hour": nil, "expires_at": nil,
            ],
            as: admin
        )
        #expect(cleared["description"] == .null)
        #expect(cleared["allowed_namespaces"] == .null)
        #expect(cleared["allowed_ips"] == [])
        #expect(cleared["rate_limit_per_minute"] == .null)
        #expect(cleared["expires_at"] == .null)
        #expect(cleared["scopes"] == ["read:*", "*"])
        let events = try await api.get("\(path)/events?type=updated", as: admin)
        #expect(events["data"]?.array?.count == 2)
        let name = events["data"]?.array?.last?["changes"]?["name"]
        #expect(name?["from"] == "full")
        #expect(name?["to"] == "renamed")
    }

    // Nobody could take the last scope away by null, which clears every other setting.
    @Test func `null empties the settings that a key always has, in every kind of keys`() async throws {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let (keys, clients) = (ServerHarness.keys(), "/v1/workspaces/default/client-keys")
            let admins = "/v1/organizations/default/admin-keys"
            let (scopes, permissions): (JSONValue, JSONValue) = (["read:*"], ["keys:read"])
            let kinds: [(path: String, token: String, body: JSONObject)] = [
                (keys, admin, ["scopes": scopes]), (clients, admin, ["scopes": scopes, "subject": "user_1"]),
                (admins, admin, ["scopes": scopes, "permissions": permissions]),
                ("/v1/operator-keys", mortise.operatorToken, ["scopes": scopes, "permissions": ["platform:*"]]),
            ]
            for (list, token, settings) in kinds {
                var body = settings
                body["name"] = "full"
                body["metadata"] = ["team": "ops"]
                let path = "\(list)/\(try await api.post(list, .object(body), as: token).string("key", "id"))"
                let full = try await api.get(path, as: token)
                #expect(full["scopes"] == scopes && full["metadata"] == ["team": "ops"], "\(full)")
                let change: JSONValue =
                    settings["permissions"] == nil
                    ? ["scopes": nil, "metadata": nil] : ["scopes": nil, "metadata": nil, "permissions": nil]
                let cleared = try await api.send("PATCH", path, change, as: token)
                #expect(cleared.status == 200, "\(list): \(cleared)")
                #expect(cleared["scopes"] == [] && cleared["permissions"] == [], "\(list): \(cleared)")
                #expect(cleared["metadata"] == [:], "\(list): \(cleared)")
                #expect(try await api.get(path, as: token).json == cleared.json, "\(list)")
            }
        }
    }

    @Test func `a name can be used again after its key is revoked`() async throws {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let key = try await mortise.makeKey("taken")
            let other = try await mortise.makeKey("other")
            let duplicate = try await api.post(ServerHarness.keys(), ["name": "taken"], as: admin)
            #expect(duplicate.status == 409)
            #expect(try await api.send("PATCH", other.path, ["name": "taken"], as: admin).status == 409)
            _ = try await api.post("\(key.path)/revoke", as: admin)
            #expect(try await api.post(ServerHarness.keys(), ["name": "taken"], as: admin).status == 201)
        }
    }

    @Test func `lists are newest first, have stable pages and can be filtered`() async throws {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            for number in 0..<7 {
                _ = try await mortise.makeKey("key \(number)", ["type": number == 3 ? "anon" : "service"])
            }
            let first = try await api.get("\(ServerHarness.keys())?limit=3", as: admin)
            #expect(first["data"]?.array?.compactMap { $0["name"]?.string } == ["key 6", "key 5", "key 4"])
            let cursor = try first.string("next_cursor")
            _ = try await mortise.makeKey("key 7")
            let second = try await api.get("\(ServerHarness.keys())?limit=3&cursor=\(cursor)", as: admin)
            #expect(second["data"]?.array?.compactMap { $0["name"]?.string } == ["key 3", "key 2", "key 1"])
            let third = try await api.get(
                "\(ServerHarness.keys())?limit=3&cursor=\(try second.string("next_cursor"))",
                as: admin
            )
            #expect(third["data"]?.array?.compactMap { $0["name"]?.string } == ["key 0"])
            #expect(third["next_cursor"] == .null)
            for (query, names) in [
                ("type=anon", ["key 3"]), ("query=KEY%205", ["key 5"]), ("status=revoked", []), ("query=%25", []),
                ("query=k_y", []), ("query=%5C", []),
            ] {
                let found = try await api.get("\(ServerHarness.keys())?\(query)", as: admin)
                #expect(found["data"]?.array?.compactMap { $0["name"]?.string } == names, "\(query)")
            }
            let events = try await api.get("/v1/workspaces/default/events?type=created&limit=5", as: admin)
            #expect(events["data"]?.array?.count == 5)
            let more = try await api.get(
                "/v1/workspaces/default/events?type=created&limit=5&cursor=\(try events.string("next_cursor"))",
                as: admin
            )
            #expect(more["data"]?.array?.count == 3)
            #expect(
                try await api.get("/v1/workspaces/default/events?until=2001-01-01T00:00:00Z", as: admin)["data"] == []
            )
            #expect(try await api.get("/v1/workspaces/default/events?actor=nobody", as: admin)["data"] == [])
        }
    }
}
