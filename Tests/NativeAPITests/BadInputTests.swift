import Endpoints
import JSON
import ServerTestSupport
import TestSupport
import Testing

/// Bad input is refused with all its faults and changes nothing.
@Suite(.hangLimit) struct BadInputTests {
    /// A body for the creation of a service key, and the pointers of its faults.
    struct Case: Sendable, CustomStringConvertible {
        let body: JSONValue
        let pointers: [String]

        init(_ body: JSONValue, _ pointers: String...) {
            self.body = body
            self.pointers = pointers
        }

        var description: String { "\(pointers) \(body.text.prefix(120))" }
    }

    /// Returns a body in which one member has the given value and the rest is valid.
    private static func with(_ name: String, _ value: JSONValue) -> JSONValue {
        var object: JSONObject = ["name": "right"]
        object[name] = value
        return .object(object)
    }

    private static let long = String(repeating: "x", count: 256)

    static let creations: [Case] = [
        Case([:], "/name"),
        Case([1], ""),
        Case("text", ""),
        Case(nil, ""),
        Case(["name": nil], "/name"),
        Case(["name": 1], "/name"),
        Case(["name": ""], "/name"),
        Case(["name": .string(long)], "/name"),
        Case(["name": "a\u{0}b"], "/name"),
        Case(with("description", "a\u{0}"), "/description"),
        Case(with("description", 3), "/description"),
        Case(with("type", "client"), "/type"),
        Case(with("type", nil), "/type"),
        Case(with("mode", "Live"), "/mode"),
        Case(with("scopes", "*"), "/scopes"),
        Case(with("scopes", nil), "/scopes"),
        Case(with("scopes", ["read"]), "/scopes/0"),
        Case(with("scopes", ["*", "read:x y", ":x", "read:"]), "/scopes/1", "/scopes/2", "/scopes/3"),
        Case(with("scopes", ["read:\u{212A}"]), "/scopes/0"),
        Case(with("allowed_namespaces", [""]), "/allowed_namespaces/0"),
        Case(with("allowed_namespaces", [nil]), "/allowed_namespaces/0"),
        Case(with("allowed_ips", ["10.0.0.1/8"]), "/allowed_ips/0"),
        Case(
            with("allowed_ips", ["10.0.0.0/33", "010.0.0.1", "::1%eth0", "x"]),
            "/allowed_ips/0",
            "/allowed_ips/1",
            "/allowed_ips/2",
            "/allowed_ips/3"
        ),
        Case(with("rate_limit_per_minute", 0), "/rate_limit_per_minute"),
        Case(with("rate_limit_per_minute", -1), "/rate_limit_per_minute"),
        Case(with("rate_limit_per_minute", "5"), "/rate_limit_per_minute"),
        Case(with("rate_limit_per_hour", 2_147_483_648), "/rate_limit_per_hour"),
        Case(with("expires_at", "2001-01-01T00:00:00Z"), "/expires_at"),
        Case(with("expires_at", "2031-02-30T00:00:00Z"), "/expires_at"),
        Case(with("expires_at", "tomorrow"), "/expires_at"),
        Case(with("expires_at", 1_900_000_000), "/expires_at"),
        Case(with("metadata", []), "/metadata"),
        Case(with("metadata", nil), "/metadata"),
        Case(with("metadata", ["a": .string(String(repeating: "x", count: 16_384))]), "/metadata"),
        Case(with("metadata", ["a": ["b\u{0}": "c\u{0}"]]), "/metadata/a/b\u{0}", "/metadata/a/b\u{0}"),
        Case(with("id", "0198c0de-0000-7000-8000-000000000001"), "/id"),
        Case(with("status", "active"), "/status"),
        Case(with("permissions", ["keys:read"]), "/permissions"),
        Case(
            ["name": "", "type": "x", "scopes": ["?"], "expires_at": "x", "extra": 1],
            "/name",
            "/type",
            "/scopes/0",
            "/expires_at",
            "/extra"
        ),
    ]

    @Test func `a refused creation names every fault by its pointer and creates nothing`() async throws {
        try await withMortise { mortise in
            for item in Self.creations {
                let answer = try await mortise.api.post(ServerHarness.keys(), item.body, as: mortise.adminToken)
                #expect(answer.status == 400, "\(item): \(answer)")
                #expect(answer.code == "invalid_request", "\(item)")
                #expect(answer.pointers == item.pointers, "\(item): \(answer)")
            }
            let keys = try await mortise.api.get(ServerHarness.keys(), as: mortise.adminToken)
            #expect(keys["data"] == [])
            try await patches(mortise)
            try await transport(mortise)
            try await others(mortise)
        }
    }

    private func patches(_ mortise: ServerHarness) async throws {
        let key = try await mortise.makeKey("fixed")
        let before = try await mortise.api.get(key.path, as: mortise.adminToken)
        let cases = [
            Case(["type": "anon"], "/type"), Case(["mode": "test"], "/mode"), Case(["name": nil], "/name"),
            Case(["prefix": "x"], "/prefix"), Case(["scopes": nil, "mode": nil], "/mode"),
            Case(["name": "good", "expires_at": "2001-01-01T00:00:00Z"], "/expires_at"),
            Case(["name": "good", "rate_limit_per_hour": 0], "/rate_limit_per_hour"),
        ]
        for item in cases {
            let answer = try await mortise.api.send("PATCH", key.path, item.body, as: mortise.adminToken)
            #expect(answer.status == 400, "\(item): \(answer)")
            #expect(answer.pointers == item.pointers, "\(item): \(answer)")
        }
        #expect(try await mortise.api.get(key.path, as: mortise.adminToken).json == before.json)
    }

    private func transport(_ mortise: ServerHarness) async throws {
        let (api, admin, path) = (mortise.api, mortise.adminToken, ServerHarness.keys())
        for text in [
            "{", "{\"name\":\"a\",}", "{\"name\":\"a\"} x", "{\"name\":\"a\",\"name\":\"b\"}", "{\"name\":\"\\ud800\"}",
            "\u{FEFF}{}",
        ] {
            let answer = try await api.send("POST", path, raw: text, as: admin)
            #expect(answer.status == 400, "\(text): \(answer)")
            #expect(answer.code == "invalid_request")
        }
        #expect(try await api.send("POST", path, raw: "", as: admin).status == 400)
        let large = try await api.send("POST", path, raw: String(repeating: " ", count: 65_537), as: admin)
        #expect(large.status == 413)
        let form = try await api.send(
            "POST",
            path,
            raw: "name=a",
            as: admin,
            headers: [("Content-Type", "application/x-www-form-urlencoded")]
        )
        #expect(form.status == 415)
        let zipped = try await api.send("POST", path, raw: "{}", as: admin, headers: [("Content-Encoding", "gzip")])
        #expect(zipped.status == 415, "\(zipped)")
        #expect(zipped["detail"]?.string?.contains("Content-Encoding") == true, "\(zipped)")
        for (key, isRight) in [("a b", false), ("é", false), (String(repeating: "k", count: 256), false), ("!~", true)]
        {
            let answer = try await api.post(path, ["name": "with key"], as: admin, key: key)
            #expect(answer.status == (isRight ? 201 : 400), "\(answer)")
            if !isRight { #expect(answer.pointers == ["Idempotency-Key"]) }
        }
        #expect(try await api.send("PUT", path, ["name": "a"], as: admin).status == 405)
        let unknown = try await api.get("/v1/nothing", as: admin)
        #expect(unknown.status == 404 && unknown["detail"]?.string == "No operation has this path.", "\(unknown)")
    }

    // The reason of a stop, or a misspelt setting, was lost without a word.
    @Test func `an operation without a body refuses one and changes nothing, in this dialect alone`() async throws {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let key = try await mortise.makeKey()
            let before = try await api.get(key.path, as: admin)
            let calls = [
                ("POST", "\(key.path)/disable"), ("POST", "\(key.path)/enable"), ("DELETE", key.path),
                ("POST", "/v1/workspaces/default/suspend"), ("POST", "/v1/workspaces/default/resume"),
            ]
            for (method, path) in calls {
                for (body, pointers) in [
                    (#"{"reason":"x"}"#, ["/reason"]), ("[]", [""]), ("{", [""]), (#"{"a":1,"a":2}"#, [""]),
                ] {
                    let answer = try await api.send(method, path, raw: body, as: admin)
                    #expect(answer.status == 400 && answer.code == "invalid_request", "\(path) \(body): \(answer)")
                    #expect(answer.pointers == pointers, "\(path) \(body): \(answer)")
                }
            }
            #expect(try await api.get(key.path, as: admin).json == before.json)
            #expect(try await api.get("/v1/workspaces/default", as: admin)["state"] == "active")
            for body in [nil, "{}"] {
                #expect(try await api.send("POST", "\(key.path)/disable", raw: body, as: admin).status == 200)
                #expect(try await api.send("POST", "\(key.path)/enable", raw: body, as: admin).status == 200)
            }
            for endpoint in api.endpoints where endpoint.body == nil {
                let changes = endpoint.method != .get && endpoint.method != .any
                #expect(endpoint.refusesBody == changes, "\(endpoint.operationID)")
            }
            // Published clients of the others send bodies that mean nothing.
            let others = mortise.server.endpoints.filter { !$0.path.text.hasPrefix("/v1/") }
            #expect(others.count > 30 && !others.contains { $0.refusesBody })
        }
    }

    // A position in one list would leave out items in another, without a word.
    @Test func `a cursor of one list is refused in every other, also in one of the same kind`() async throws {
        try await withMortise { mortise in
            let (api, admin, platform) = (mortise.api, mortise.adminToken, mortise.operatorToken)
            let organization = "/v1/organizations/default"
            _ = try await mortise.makeOrganization("Acme")
            let second = try await mortise.makeWorkspace("Second")
            for name in ["a", "b"] {
                for workspace in ["default", "second"] {
                    _ = try await mortise.makeKey(name, in: workspace)
                    _ = try await mortise.makeClientKey(name, in: workspace)
                }
                _ = try await mortise.addMember("\(name)@example.org", "auditor")
                // No delivery is due in this test.
                let webhook: JSONValue = [
                    "url": .string("https://example.com/\(name)"), "event_types": ["webhook.deleted"],
                ]
                #expect(try await api.post("\(organization)/webhooks", webhook, as: admin).status == 201)
                #expect(try await api.post("/v1/operator-keys", ["name": .string(name)], as: platform).status == 201)
            }
            var lists: [(path: String, token: String)] = []
            for path in ["organizations", "workspaces", "operator-keys"] { lists.append(("/v1/\(path)", platform)) }
            for workspace in ["default", "second"] {
                for name in ["service-keys", "client-keys", "events"] {
                    lists.append(("/v1/workspaces/\(workspace)/\(name)", admin))
                }
            }
            for name in ["admin-keys", "members", "webhooks", "events"] {
                lists.append(("\(organization)/\(name)", admin))
            }
            for key in try await [mortise.makeKey("c"), mortise.makeKey("d"), mortise.makeAdmin(["keys:read"])] {
                #expect(try await api.send("PATCH", key.path, ["description": "x"], as: admin).status == 200)
                lists.append(("\(key.path)/events", admin))
            }
            var cursors: [String] = []
            for (list, token) in lists {
                let page = try await api.get("\(list)?limit=1", as: token)
                cursors.append(try page.string("next_cursor"))
            }
            for (position, (list, token)) in lists.enumerated() {
                for (other, cursor) in cursors.enumerated() {
                    let answer = try await api.get("\(list)?cursor=\(cursor)", as: token)
                    let name = "\(lists[other].path) in \(list): \(answer)"
                    if other == position {
                        #expect(answer.status == 200, "\(name)")
                    } else {
                        #expect(answer.status == 400 && answer.code == "invalid_request", "\(name)")
                        #expect(answer.pointers == ["cursor"], "\(name)")
                    }
                }
            }
            // An id is another name of the same list.
            let named = try await api.get("/v1/workspaces/second/service-keys?limit=1", as: admin)
            let path = "/v1/workspaces/\(second)/service-keys?cursor=\(try named.string("next_cursor"))"
            #expect(try await api.get(path, as: admin)["data"]?.array?.count == 1)
            let usage = try await api.get("/v1/workspaces/default/usage?cursor=\(cursors[0])", as: admin)
            #expect(usage.status == 400 && usage.pointers == ["cursor"], "\(usage)")
        }
    }

    private func others(_ mortise: ServerHarness) async throws {
        let (api, admin) = (mortise.api, mortise.adminToken)
        let key = try await mortise.makeKey("others")
        let posts: [(String, JSONValue, [String])] = [
            ("\(key.path)/deprecate", ["grace_period_seconds": -1], ["/grace_period_seconds"]),
            (
                "\(key.path)/deprecate", ["grace_period_seconds": 2_592_001, "reason": 1],
                ["/grace_period_seconds", "/reason"]
            ),
            ("\(key.path)/rotate", ["grace_period_seconds": "1.5"], ["/grace_period_seconds"]),
            ("\(key.path)/rotate", ["reason": "x"], ["/reason"]),
            ("\(key.path)/revoke", ["reason": "a\u{0}"], ["/reason"]),
            ("/v1/verify", [:], ["/token"]),
            (
                "/v1/verify", ["token": 1, "address": "x", "mode": "x", "scopes": ["x"]],
                ["/token", "/address", "/mode", "/scopes/0"]
            ),
            ("/v1/verify/batch", ["requests": []], ["/requests"]),
            (
                "/v1/verify/batch", ["requests": [["token": "a"], ["tokens": "a"]]],
                ["/requests/1/tokens", "/requests/1/token"]
            ),
            ("/v1/verify/batch", ["requests": .array(Array(repeating: ["token": "a"], count: 101))], ["/requests"]),
            ("/v1/organizations/default/workspaces", ["name": "a", "slug": "A"], ["/slug"]),
            ("/v1/organizations/default/workspaces", ["name": "a", "cluster": "nowhere"], ["/cluster"]),
            ("/v1/organizations/default/admin-keys", ["name": "a", "permissions": ["platform:*"]], ["/permissions/0"]),
            (
                "/v1/organizations/default/admin-keys", ["name": "a", "permissions": ["keys:read", "all"]],
                ["/permissions/1"]
            ),
        ]
        for (path, body, pointers) in posts {
            let answer = try await api.post(path, body, as: admin)
            #expect(answer.status == 400, "\(path): \(answer)")
            #expect(answer.pointers == pointers, "\(path): \(answer)")
        }
        for body in [["name": "a", "token_prefix": "Mks"], ["name": "a", "token_prefix": "toolong"]] as [JSONValue] {
            let answer = try await api.post("/v1/organizations", body, as: mortise.operatorToken)
            #expect(answer.pointers == ["/token_prefix"], "\(answer)")
        }
        for (query, name) in [
            ("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"), ("cursor=x", "cursor"),
            ("status=on", "status"),
            ("limit=1&limit=2", "limit"), ("page=1", "page"), ("query=%00", "query"),
        ] {
            let answer = try await api.get("\(ServerHarness.keys())?\(query)", as: admin)
            #expect(answer.status == 400, "\(query): \(answer)")
            #expect(answer.pointers == [name], "\(query): \(answer)")
        }
        let lists = [
            "/v1/workspaces/default/events", "/v1/organizations/default/events", "\(key.path)/events",
            "/v1/organizations/default/admin-keys/\(key.id)/events",
        ]
        for list in lists {
            #expect(try await api.get("\(list)?since=yesterday", as: admin).pointers == ["since"])
            // An empty page would say that no key was revoked.
            for type in ["revokd", "REVOKED", "key.revoked", "", "revoked%2Ccreated"] {
                let answer = try await api.get("\(list)?type=\(type)", as: admin)
                #expect(answer.status == 400 && answer.code == "invalid_request", "\(list) \(type): \(answer)")
                #expect(answer.pointers == ["type"], "\(list) \(type): \(answer)")
            }
        }
    }
}
