import Endpoints
import JSON
import ServerTestSupport
import TestSupport
import Testing

/// Requests and needs of published clients that the specification does not mention.
@Suite(.hangLimit) struct ClerkWireTests {
    @Test func `every path style reaches the same keys`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeAPIKey()
            let workspace = try await mortise.api.get("/v1/workspaces/default", as: mortise.adminToken).string("id")
            let bases = ["/v1", "", "/workspaces/\(workspace)/v1", "/workspaces/default", "//v1/", "/"]
            for base in bases {
                let answer = try await mortise.clerk("GET", "\(base)/api_keys/\(key.id)")
                #expect(answer.status == 200, "\(base): \(answer)")
                let list = try await mortise.clerk("GET", "\(base)/api_keys?subject=\(ServerHarness.user)")
                #expect(list["total_count"] == 1, "\(base): \(list)")
                let verified = try await mortise.clerk(
                    "POST",
                    "\(base)/api_keys/verify",
                    ["secret": .string(key.secret)]
                )
                #expect(verified.status == 200, "\(base): \(verified)")
            }
            let slashes = try await mortise.api.send("GET", "//clerk//api_keys//\(key.id)//", as: mortise.adminToken)
            #expect(slashes.status == 200)
            let absent = try await mortise.api.send("GET", "//clerk//nothing", as: mortise.adminToken)
            #expect(absent.status == 404)
            ServerHarness.check(absent)
        }
    }

    @Test func `a creation answers 201, or 200 for clients that accept nothing else`() async throws {
        let agents: [(String, Int)] = [
            ("", 201), ("curl/8", 201), ("speakeasy-sdk/python 7.0.0 2.928.0 2026-05-12 clerk-backend-api", 201),
            ("speakeasy-sdk/python 5.0.6 2 1 clerk-backend-api", 201), ("speakeasy-sdk/python 5.0.2 2 1 x", 200),
            ("speakeasy-sdk/python 4.2 x", 200), ("speakeasy-sdk/python 10.0.0 x", 201), ("speakeasy-sdk/python", 201),
            ("speakeasy-sdk/python x", 201), ("speakeasy-sdk/csharp 2.0.0 2 1 Clerk.BackendAPI", 200),
            ("speakeasy-sdk/java 4.1.0 2 1 com.clerk", 200), ("@clerk/backend@3.16.10", 201),
        ]
        try await withMortise { mortise in
            for (index, (agent, status)) in agents.enumerated() {
                let body: JSONValue = ["name": .string("Key \(index)"), "subject": .string(ServerHarness.user)]
                let headers = [("User-Agent", agent)]
                let answer = try await mortise.clerk("POST", "/v1/api_keys", body, headers: headers)
                #expect(answer.status == status, "\(agent): \(answer)")
                #expect(answer.memberNames == ServerHarness.apiKeyMembers.union(["secret"]))
            }
        }
    }

    @Test func `every answer has exactly the sixteen members, nulls included`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeAPIKey()
            let got = try await mortise.clerk("GET", "/v1/api_keys/\(key.id)")
            let verified = try await mortise.clerk("POST", "/v1/api_keys/verify", ["secret": .string(key.secret)])
            let changed = try await mortise.clerk("PATCH", "/v1/api_keys/\(key.id)", ["scopes": ["a"]])
            let listed = try await mortise.clerk("GET", "/v1/api_keys?subject=\(ServerHarness.user)")
            #expect(listed.memberNames == ["data", "total_count"])
            let revoked = try await mortise.clerk("POST", "/v1/api_keys/\(key.id)/revoke", [:])
            for answer in [got, verified, changed, revoked] {
                #expect(answer.memberNames == ServerHarness.apiKeyMembers, "\(answer)")
            }
            let element = try #require(listed["data"]?.array?.first?.object)
            #expect(Set(element.members.map(\.name)) == ServerHarness.apiKeyMembers)
            for member in ["description", "claims", "revocation_reason", "expiration", "created_by", "last_used_at"] {
                #expect(got[member] == .null, "\(member)")
            }
            #expect(key.secret.hasPrefix("ak_live_"))
            #expect(key.id.count == 35 && key.id.hasPrefix("ak_"))
            #expect(try #require(got["created_at"]?.number?.int64) > 1_600_000_000_000)
        }
    }

    // The Python client writes whole numbers as 10.0, so a server that reads integers only would refuse each of its
    // lists.
    @Test func `a number with a zero fraction is a whole number, in queries and in bodies`() async throws {
        try await withMortise { mortise in
            let raw = """
                {"name":"With an end","subject":"\(ServerHarness.user)","seconds_until_expiration":3600.5}
                """
            let made = try await mortise.clerk("POST", "/v1/api_keys", raw: raw)
            let created = try #require(made["created_at"]?.number?.int64)
            let end = try #require(made["expiration"]?.number?.int64)
            #expect((3_600_499...3_600_501).contains(end - created), "\(made)")
            let path = "/v1/api_keys?subject=\(ServerHarness.user)"
            for query in ["limit=10.0&offset=0.0", "limit=1e1&offset=0", "limit=100&offset=0.00"] {
                #expect(try await mortise.clerk("GET", "\(path)&\(query)")["total_count"] == 1, "\(query)")
            }
            for query in [
                "limit=10.5", "limit=0", "limit=101", "limit=ten", "limit=", "offset=-1", "offset=1e300", "limit=NaN",
            ] {
                let answer = try await mortise.clerk("GET", "\(path)&\(query)")
                #expect(answer.status == 400, "\(query): \(answer)")
                #expect(answer.clerkCode == "bad_request")
            }
        }
    }

    @Test func `a lifetime of any positive size is accepted`() async throws {
        try await withMortise { mortise in
            for (index, text) in ["0.0000001", "1", "1e60", "9007199254740993"].enumerated() {
                let raw = """
                    {"name":"Key \(index)","subject":"\(ServerHarness.user)","seconds_until_expiration":\(text)}
                    """
                let answer = try await mortise.clerk("POST", "/v1/api_keys", raw: raw)
                #expect(answer.status == 201, "\(text): \(answer)")
            }
            for text in ["0", "-1", "1e999", "\"60\"", "true"] {
                let raw = """
                    {"name":"Bad one","subject":"\(ServerHarness.user)","seconds_until_expiration":\(text)}
                    """
                let answer = try await mortise.clerk("POST", "/v1/api_keys", raw: raw)
                #expect(
                    answer.status == 400 && answer.clerkParameters == ["seconds_until_expiration"],
                    "\(text): \(answer)"
                )
            }
        }
    }

    // A browser sends a preflight request from another origin, and sends nothing more if the answer does not allow it.
    @Test func `a page of another origin can send requests and read answers`() async throws {
        try await withMortise { mortise in
            let origin = ("Origin", "https://app.example")
            for path in ["/api_keys", "/v1/api_keys/ak_x/revoke", "//api_keys"] {
                let asked = try await mortise.clerk(
                    "OPTIONS",
                    path,
                    headers: [
                        origin, ("Access-Control-Request-Method", "POST"),
                        ("Access-Control-Request-Headers", "authorization,content-type"),
                    ]
                )
                #expect(asked.status == 204, "\(asked)")
                #expect(asked.headers["access-control-allow-origin"] == "https://app.example")
                #expect(asked.headers["access-control-allow-headers"] == "authorization, content-type")
                #expect(asked.headers["access-control-allow-methods"]?.contains("POST") == true)
                #expect(asked.headers["access-control-allow-credentials"] == nil)
                #expect(asked.headers["vary"] == "Origin")
            }
            let list = try await mortise.clerk(
                "GET",
                "/api_keys?subject=\(ServerHarness.user)",
                headers: [origin, ("Content-Type", "application/json")]
            )
            #expect(list.status == 200)
            #expect(list.headers["access-control-allow-origin"] == "https://app.example")
            let refused = try await mortise.clerk("GET", "/api_keys", as: "sk_test_none", headers: [origin])
            #expect(refused.status == 401)
            #expect(refused.headers["access-control-allow-origin"] == "https://app.example")
            // The native surface allows no other origin, and an answer to a request without an origin needs no such
            // header.
            let native = try await mortise.api.send("GET", "/v1/workspaces", as: mortise.adminToken, headers: [origin])
            #expect(native.headers["access-control-allow-origin"] == nil)
            let plain = try await mortise.clerk("GET", "/api_keys?subject=\(ServerHarness.user)")
            #expect(plain.headers["access-control-allow-origin"] == nil)
        }
    }

    // A browser's client sends only GET and POST, and names any other method in the query.
    @Test func `a POST is handled as the method that its query names`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeAPIKey()
            let path = "/v1/api_keys/\(key.id)"
            let changed = try await mortise.clerk("POST", "\(path)?_method=PATCH", ["description": "new"])
            #expect(changed["description"] == "new", "\(changed)")
            let other = try await mortise.clerk(
                "POST",
                "\(path)?__clerk_api_version=1&_method=PATCH",
                ["description": .null]
            )
            #expect(other["description"] == .null, "\(other)")
            // A method that the path does not support gets 405 instead of the effect of POST.
            let body: JSONValue = ["name": "Not made", "subject": .string(ServerHarness.user)]
            let refused = try await mortise.clerk("POST", "/v1/api_keys?_method=PATCH", body)
            #expect(refused.status == 405, "\(refused)")
            let count = try await mortise.clerk("GET", "/v1/api_keys?subject=\(ServerHarness.user)")["total_count"]
            #expect(count == 1)
            let ignored = try await mortise.clerk("GET", "\(path)?_method=DELETE")
            #expect(ignored.status == 200)
            let deleted = try await mortise.clerk("POST", "\(path)?_method=DELETE")
            #expect(deleted.json == ["id": .string(key.id), "object": "api_key", "deleted": true])
            // The native surface ignores the query member.
            let service = try await mortise.makeKey()
            let native = try await mortise.api.send("POST", "\(service.path)?_method=DELETE", as: mortise.adminToken)
            #expect(native.status == 405)
        }
    }

    @Test func `an empty body with a JSON media type is an empty object if no member is required`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeAPIKey()
            let headers = [("Content-Type", "application/json")]
            let created = try await mortise.clerk("POST", "/v1/api_keys", raw: "", headers: headers)
            #expect(created.status == 400 && created.clerkCode == "request_body_invalid", "\(created)")
            let revoked = try await mortise.clerk("POST", "/v1/api_keys/\(key.id)/revoke", raw: "", headers: headers)
            #expect(revoked["revoked"] == true, "\(revoked)")
        }
    }

    @Test func `a list returns the requested page and the total count`() async throws {
        try await withMortise { mortise in
            for number in 1...5 { _ = try await mortise.makeAPIKey("Key \(number)") }
            _ = try await mortise.makeAPIKey("Labelled", ["type": "machine_token"])
            let path = "/v1/api_keys?subject=\(ServerHarness.user)"
            let cases: [(String, [String], JSONValue)] = [
                ("", ["Key 5", "Key 4", "Key 3", "Key 2", "Key 1"], 5), ("&limit=2", ["Key 5", "Key 4"], 5),
                ("&limit=2&offset=2", ["Key 3", "Key 2"], 5), ("&limit=2&offset=4", ["Key 1"], 5),
                ("&offset=5", [], 5), ("&query=kEY%204", ["Key 4"], 1), ("&query=%25", [], 0),
                ("&type=machine_token", ["Labelled"], 1),
            ]
            for (query, names, total) in cases {
                let list = try await mortise.clerk("GET", path + query)
                #expect(list.listedNames == names && list["total_count"] == total, "\(query): \(list)")
            }
        }
    }

    @Test func `a key shows the values from its creation and from later changes`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeAPIKey(
                "Full",
                [
                    "claims": ["plan": "pro"], "scopes": ["a", "b"], "description": "d", "type": "machine_token",
                    "created_by": .string(ServerHarness.otherUser),
                ]
            )
            let path = "/v1/api_keys/\(key.id)"
            let first = try await mortise.clerk("GET", path)
            #expect(first["claims"] == ["plan": "pro"] && first["scopes"] == ["a", "b"], "\(first)")
            #expect(first["description"] == "d" && first["type"] == "machine_token", "\(first)")
            #expect(first["created_by"]?.string == ServerHarness.otherUser && first["expiration"] == .null, "\(first)")
            let change: JSONValue = ["claims": [1, nil], "scopes": [], "seconds_until_expiration": 60]
            let second = try await mortise.clerk("PATCH", path, change)
            #expect(
                second["claims"] == [1, nil] && second["scopes"] == [] && second["description"] == "d",
                "\(second)"
            )
            let (end, changed) = (second["expiration"]?.number?.int64, second["updated_at"]?.number?.int64)
            #expect((59_990...60_010).contains(try #require(end) - (try #require(changed))), "\(second)")
            let nothing: JSONValue = ["claims": nil, "description": nil, "seconds_until_expiration": nil]
            let third = try await mortise.clerk("PATCH", path, nothing)
            for member in ["claims", "description", "expiration"] { #expect(third[member] == .null, "\(third)") }
            #expect(try await mortise.clerk("GET", path).json == third.json)
        }
    }
}
