import JSON
import ServerTestSupport
import TestSupport
import Testing

/// The documented behavior of `ClientKeysManager` and `APIKeysManager`, tested on the wire.
@Suite(.hangLimit) struct FluxbaseClientKeyTests {
    private static let request: JSONValue = [
        "name": "Production Service", "description": "for production", "scopes": ["read:users", "write:users"],
        "rate_limit_per_minute": 100, "expires_at": "2099-12-31T23:59:59Z",
    ]

    private static let fields = [
        "created_at", "description", "expires_at", "id", "key_prefix", "name", "rate_limit_per_minute", "scopes",
        "updated_at", "user_id",
    ]

    @Test(arguments: ["client-keys", "api-keys"])
    func `a signed-in user can create, list, change, revoke and delete keys`(_ route: String) async throws {
        try await withMortise { mortise in
            let user = try await mortise.makeUser("user@example.com", role: "admin")
            let client = try await mortise.fluxbase(signedInAs: user.email)

            let made = try await client.post("/\(route)", Self.request)
            #expect(made.status == 201)
            // Current SDKs read `{ client_key, key }` and older SDKs read `{ api_key, key }`. The original server
            // returns the members of the key at the top level.
            for key in [made["client_key"], made["api_key"]] {
                #expect(key?.memberNames == Self.fields)
                #expect(key?["user_id"] == .string(user.id))
            }
            #expect(made.members == (Self.fields + ["api_key", "client_key", "key"]).sorted())
            let token = try made.string("key")
            let id = try made.string("client_key", "id")
            #expect(try made.string("id") == id)
            #expect(try made.string("key_prefix") == String(token.prefix(12)))
            #expect(try made.string("expires_at") == "2099-12-31T23:59:59.000Z")
            let verdict = try await mortise.verify(token, ["scopes": ["read:users"]])
            #expect(verdict.code == "valid")
            #expect(verdict["key", "subject"] == .string(user.id))
            #expect(try await mortise.verdict(token, ["scopes": ["read:orders"]]) == "insufficient_scope")

            let list = try await client.get("/\(route)")
            #expect(list["total"] == 1)
            #expect(list["client_keys"] == list["api_keys"])
            #expect(list["client_keys"]?.array?.first?["id"] == .string(id))
            #expect(list["client_keys"]?.array?.first?["key"] == nil)

            #expect(try await client.get("/\(route)/\(id)").string("name") == "Production Service")

            let changed = try await client.send(
                "PATCH",
                "/\(route)/\(id)",
                ["name": "Updated Name", "rate_limit_per_minute": 200]
            )
            #expect(try changed.string("name") == "Updated Name")
            #expect(changed["rate_limit_per_minute"] == 200)
            #expect(changed["scopes"] == ["read:users", "write:users"])
            #expect(try changed.string("description") == "for production")
            #expect(changed["success"] == true)
            #expect(try await client.send("PATCH", "/\(route)/\(id)", [:]).status == 200)

            let revoked = try await client.post("/\(route)/\(id)/revoke", [:])
            #expect(try !revoked.string("message").isEmpty)
            #expect(try await mortise.verdict(token) == "revoked")
            #expect(try await client.get("/\(route)/\(id)").string("revoked_at") == revoked.string("revoked_at"))
            #expect(try await client.send("PATCH", "/\(route)/\(id)", ["name": "x"]).status == 409)

            let deleted = try await client.send("DELETE", "/\(route)/\(id)")
            #expect(deleted.status == 200)
            #expect(try !deleted.string("message").isEmpty)
            #expect(try await client.get("/\(route)/\(id)").status == 404)
            #expect(try await client.get("/\(route)")["client_keys"] == [])
        }
    }

    @Test func `optional members are absent instead of null, and absent input gets Fluxbase's defaults`() async throws {
        try await withMortise { mortise in
            let client = mortise.fluxbase
            let body: JSONValue = [
                "name": "n", "scopes": ["anything at all"], "description": nil, "rate_limit_per_minute": 0,
                "expires_at": nil, "unknown_member": [1, 2],
            ]
            let made = try await client.post("/client-keys", body)
            #expect(made.status == 201)
            #expect(made["rate_limit_per_minute"] == 100)
            #expect(!made.text.contains("null"))
            let native = try await mortise.api.post(
                "/v1/workspaces/default/client-keys",
                ["name": "no limit", "subject": "user_1"],
                as: mortise.adminToken
            )
            #expect(native.status == 201)
            let seen = try await client.get("/client-keys/\(try native.string("key", "id"))")
            // The SDK's type is a number, and a client would read 0 as "nothing is allowed".
            #expect(seen["rate_limit_per_minute"] == .integer(Int64(Int32.max)))
            #expect(try seen.string("user_id") == "user_1")
            #expect(try await client.get("/client-keys?user_id=user_1")["total"] == 1)
            #expect(try await client.get("/client-keys")["total"] == 2)
        }
    }

    // The attack: a member of a tenant tries the ids of other users' keys, reads them and revokes them.
    @Test func `a member manages their own keys, and an admin manages the keys of the tenant`() async throws {
        try await withMortise { mortise in
            let ann = try await mortise.makeUser("ann@example.com", role: "member")
            let bob = try await mortise.makeUser("bob@example.com", role: "member")
            let boss = try await mortise.makeUser("boss@example.com", role: "admin")
            let annClient = try await mortise.fluxbase(signedInAs: ann.email)
            let bobClient = try await mortise.fluxbase(signedInAs: bob.email)
            let bossClient = try await mortise.fluxbase(signedInAs: boss.email)
            let hers = try await annClient.post("/client-keys", ["name": "a", "scopes": ["read:x"]]).string("id")
            let his = try await bobClient.post("/client-keys", ["name": "b", "scopes": ["read:x"]]).string("id")

            #expect(try await annClient.get("/client-keys")["total"] == 1)
            #expect(try await annClient.get("/client-keys?user_id=\(bob.id)")["client_keys"] == [])
            #expect(try await bossClient.get("/client-keys")["total"] == 2)
            #expect(try await bossClient.get("/client-keys?user_id=\(bob.id)")["total"] == 1)

            let unknown = try await annClient.get("/client-keys/0198c0de-0000-7000-8000-00000000abcd")
            for (method, suffix) in [("GET", ""), ("PATCH", ""), ("POST", "/revoke"), ("DELETE", "")] {
                let answer = try await annClient.send(
                    method,
                    "/client-keys/\(his)\(suffix)",
                    method == "GET" ? nil : [:]
                )
                #expect(answer.status == 404)
                #expect(answer.comparable == unknown.comparable)
            }
            #expect(try await bobClient.get("/client-keys/\(his)")["revoked_at"] == nil)
            #expect(try await annClient.post("/client-keys/\(hers)/revoke", [:]).status == 200)
            #expect(try await bossClient.post("/client-keys/\(his)/revoke", [:]).status == 200)
            // A member has no access to service keys.
            #expect(try await annClient.get("/admin/service-keys").status == 403)
        }
    }

    // The server ignores members that a client sends and the operation does not know.
    @Test(arguments: ["client-keys", "api-keys"])
    func `members of a service key have no effect on a client key`(_ route: String) async throws {
        try await withMortise { mortise in
            let user = try await mortise.makeUser("user@example.com", role: "admin")
            let client = try await mortise.fluxbase(signedInAs: user.email)
            let made = try await client.post("/\(route)", ["name": "k", "scopes": ["*"]])
            let path = "/\(route)/\(try made.string("id"))"
            let half = try JSONValue(parsing: "1.5".utf8)
            let cases: [String: [JSONValue]] = [
                "enabled": [false, "no", 1, []], "rate_limit_per_hour": [0, 1, "100", half],
            ]
            for (name, values) in cases {
                for value in values {
                    let answer = try await client.send("PATCH", path, .object([name: value, "description": "changed"]))
                    #expect(answer.status == 200, "\(name) \(value): \(answer)")
                }
            }
            for _ in 0..<2 { #expect(try await mortise.verdict(try made.string("key")) == "valid") }
        }
    }

    @Test func `verification enforces limits, expiry and namespaces`() async throws {
        try await withMortise { mortise in
            let client = mortise.fluxbase
            let limited = try await client.post(
                "/client-keys",
                ["name": "limited", "scopes": ["*"], "rate_limit_per_minute": 2, "allowed_namespaces": ["eu"]]
            )
            let token = try limited.string("key")
            #expect(try await mortise.verdict(token, ["namespace": "us"]) == "wrong_namespace")
            for expected in ["valid", "valid", "rate_limited"] {
                #expect(try await mortise.verdict(token, ["namespace": "eu"]) == expected)
            }
            let ending = try await client.post(
                "/client-keys",
                ["name": "ending", "scopes": ["*"], "expires_at": "2099-01-01T00:00:00Z"]
            )
            #expect(try await mortise.verdict(try ending.string("key")) == "valid")
            try await mortise.inWorkspace("UPDATE auth.client_keys SET expires_at = now() WHERE name = 'ending'")
            #expect(try await mortise.verdict(try ending.string("key")) == "expired")
        }
    }

    @Test func `a repeated creation with the same Idempotency-Key returns the same key`() async throws {
        try await withMortise { mortise in
            var client = mortise.fluxbase
            client.headers = [("Idempotency-Key", "once")]
            let body: JSONValue = ["name": "once", "scopes": ["*"]]
            let first = try await client.post("/client-keys", body)
            let second = try await client.post("/client-keys", body)
            #expect(second.status == 201)
            #expect(second.json.sorted == first.json.sorted)
            #expect(second.headers["idempotent-replayed"] == "true")
            #expect(try await client.post("/client-keys", ["name": "other", "scopes": ["*"]]).status == 422)
            #expect(try await client.get("/client-keys")["total"] == 1)
        }
    }

    private struct Bad {
        var body: String
        var error: String
        var code: String
    }

    @Test func `bad input gets Fluxbase's error texts and changes nothing`() async throws {
        let cases = [
            Bad(body: "{", error: "Invalid request body", code: "INVALID_REQUEST_BODY"),
            Bad(body: "[]", error: "Invalid request body", code: "INVALID_REQUEST_BODY"),
            Bad(body: "", error: "Invalid request body", code: "INVALID_REQUEST_BODY"),
            Bad(body: #"{"name": 5, "scopes": ["*"]}"#, error: "Invalid request body", code: "INVALID_REQUEST_BODY"),
            Bad(body: #"{"name": "n", "scopes": "*"}"#, error: "Invalid request body", code: "INVALID_REQUEST_BODY"),
            Bad(
                body: #"{"name": "n", "scopes": ["*"], "expires_at": "2030-01-01T10:00"}"#,
                error: "Invalid request body",
                code: "INVALID_REQUEST_BODY"
            ),
            Bad(body: "{}", error: "Name and scopes are required", code: "MISSING_REQUIRED_FIELD"),
            Bad(body: #"{"scopes": ["*"]}"#, error: "Name is required", code: "MISSING_REQUIRED_FIELD"),
            Bad(body: #"{"name": "", "scopes": ["*"]}"#, error: "Name is required", code: "MISSING_REQUIRED_FIELD"),
            Bad(
                body: #"{"name": "n", "scopes": []}"#,
                error: "scopes must have at least one element",
                code: "INVALID_INPUT"
            ),
            Bad(
                body: #"{"name": "n\u0000", "scopes": ["*"]}"#,
                error: "name must not contain the character U+0000",
                code: "INVALID_INPUT"
            ),
            Bad(
                body: #"{"name": "n", "scopes": ["a\u0000b"]}"#,
                error: "scopes/0 must not contain the character U+0000",
                code: "INVALID_INPUT"
            ),
            Bad(
                body: #"{"name": "n", "scopes": ["*"], "rate_limit_per_minute": -1}"#,
                error: "rate_limit_per_minute must lie between 0 and 2147483647",
                code: "INVALID_INPUT"
            ),
        ]
        try await withMortise { mortise in
            let client = mortise.fluxbase
            for bad in cases {
                let answer = try await client.send("POST", "/client-keys", raw: bad.body)
                #expect(answer.status == 400, "\(bad): \(answer)")
                #expect(answer.error == bad.error, "\(bad)")
                #expect(answer.code == bad.code, "\(bad)")
            }
            let name = JSONValue.string(String(repeating: "n", count: 256))
            let long = try await client.post("/client-keys", ["name": name, "scopes": ["*"]])
            #expect(long.status == 400)
            #expect(long.error?.hasPrefix("name ") == true)
            let huge = try await client.post("/client-keys", ["name": .string(String(repeating: "n", count: 70_000))])
            #expect(huge.status == 413)
            #expect(huge.code == "REQUEST_TOO_LARGE")
            let text = try await client.send("POST", "/client-keys", raw: "name=x", contentType: "text/plain")
            #expect(text.status == 415)
            #expect(try await client.get("/client-keys")["total"] == 0)
        }
    }

    // The example of Fluxbase's documents.
    @Test func `a key can be created with an end that has passed, and is expired`() async throws {
        try await withMortise { mortise in
            let client = mortise.fluxbase
            let end = "2025-12-31T23:59:59Z"
            for path in ["/client-keys", "/admin/service-keys"] {
                let made = try await client.post(
                    path,
                    ["name": "Old", "scopes": ["read:x"], "expires_at": .string(end)]
                )
                #expect(made.status == 201, "\(made)")
                #expect(try made.string("expires_at").hasPrefix("2025-12-31T23:59:59"))
                #expect(try await mortise.verdict(made.string("key")) == "expired")
            }
        }
    }

    @Test func `a malformed id, an unknown id and an unknown route have different answers`() async throws {
        try await withMortise { mortise in
            let client = mortise.fluxbase
            for text in ["1", "not-an-id", "%C3%A9", "0198c0de-0000-7000-8000-00000000abcg"] {
                let answer = try await client.get("/client-keys/\(text)")
                #expect(answer.status == 400, "\(answer)")
                #expect(answer.error == "Invalid client key ID")
                #expect(answer.code == "INVALID_ID")
            }
            let old = try await client.get("/api-keys/1")
            #expect(old.error == "Invalid API key ID")
            let unknown = try await client.get("/client-keys/0198C0DE-0000-7000-8000-00000000ABCD")
            #expect(unknown.status == 404)
            #expect(unknown.error == "Client key not found")
            #expect(unknown.code == "NOT_FOUND")
            for path in ["/nothing", "/client-keys/1/2/3", "/tables/users"] {
                let nothing = try await client.get(path)
                #expect(nothing.status == 404)
                #expect(nothing.error == "Not Found")
                #expect(nothing["path"] == .string("/api/v1\(path)"))
            }
            let method = try await client.send("PUT", "/client-keys", [:])
            #expect(method.status == 405)
            #expect(method.code == "METHOD_NOT_ALLOWED")
        }
    }
}
