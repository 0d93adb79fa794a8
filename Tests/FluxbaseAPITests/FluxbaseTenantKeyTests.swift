import JSON
import Postgres
import ServerTestSupport
import TestSupport
import Testing

/// A tenant's own keys as credentials.
///
/// Such keys manage client keys within their scopes and cannot create a stronger key.
@Suite(.hangLimit) struct FluxbaseTenantKeyTests {
    @Test(arguments: FluxbaseCredentialTests.headers)
    func `a key is accepted in each header for the operations that its scopes name`(_ header: String) async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey("reader", ["scopes": ["clientkeys:read"]])
            func send(_ method: String, _ path: String) async throws -> Answer {
                try await FluxbaseClient.bare(
                    mortise,
                    method,
                    path,
                    [FluxbaseCredentialTests.header(header, key.token)]
                )
            }
            for path in ["/client-keys", "/api-keys"] {
                #expect(try await send("GET", path).status == 200)
                let refused = try await send("POST", path)
                #expect(refused.status == 403, "\(refused)")
                #expect(refused.code == "INSUFFICIENT_PERMISSIONS")
                #expect(refused["message"] == "The key lacks the scope clientkeys:write.")
            }
            for path in ["/admin/service-keys", "/admin/tenants", "/auth/user", "/admin/me"] {
                #expect(try await send("GET", path).status == 403, "\(path)")
            }
            _ = try await mortise.api.post("\(key.path)/revoke", as: mortise.adminToken)
            let late = try await send("GET", "/client-keys")
            #expect(late.status == 401)
            #expect(late.code == "INVALID_TOKEN")
        }
    }

    // The attack: whoever has one key of Clerk's dialect makes another one here, without its claims, that survives its revocation.
    @Test func `a key of Clerk's dialect manages no keys, whatever its scopes are`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeAPIKey(
                "abc",
                ["scopes": ["*", "clientkeys:write"], "claims": ["readonly": true]]
            )
            let header = FluxbaseCredentialTests.header(FluxbaseCredentialTests.headers[0], key.secret)
            for (method, path) in [
                ("GET", "/client-keys"), ("POST", "/client-keys"),
                ("DELETE", "/client-keys/019a0000-0000-7000-8000-000000000000"),
            ] {
                let answer = try await FluxbaseClient.bare(mortise, method, path, [header])
                #expect(answer.status == 403, "\(method) \(path): \(answer)")
            }
        }
    }

    @Test(arguments: ["*", "clientkeys:*", "clientkeys:write", "write:apikeys", "write:clientkeys"])
    func `a key with a scope for writing can create keys`(_ scope: String) async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey("writer", ["scopes": [.string(scope)]])
            let client = FluxbaseClient(mortise, key: key.token)
            let made = try await client.post("/client-keys", ["name": "made", "scopes": [.string(scope)]])
            #expect(made.status == 201, "\(made)")
            #expect(try made.string("user_id") == "service-key:\(key.id)")
            #expect(try await mortise.verdict(try made.string("key")) == "valid")
            let events = try await mortise.api.get(
                "/v1/workspaces/default/client-keys/\(try made.string("id"))/events",
                as: mortise.adminToken
            )
            #expect(events["data"]?.array?.first?["actor"] == .string("service-key:\(key.id)"))
        }
    }

    // The attack: the holder of a key creates a stronger key, or a key that outlives the revocation, expiry or limit of
    // the first.
    @Test func `a key cannot create or change a key beyond its own restrictions`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey(
                "writer",
                [
                    "scopes": ["clientkeys:read", "clientkeys:write", "read:users"], "allowed_namespaces": ["eu"],
                    "allowed_ips": ["127.0.0.1", "192.0.2.0/24"], "expires_at": "2098-01-01T00:00:00Z",
                    "rate_limit_per_minute": 1000, "mode": "test",
                ]
            )
            let client = FluxbaseClient(mortise, key: key.token)
            let good: JSONObject = ["name": "made", "scopes": ["read:users"], "rate_limit_per_minute": 1001]
            for (name, value): (String, JSONValue) in [
                ("scopes", ["*"]), ("scopes", ["read:users", "write:users"]), ("scopes", ["read:*"]),
                ("allowed_namespaces", ["us"]), ("allowed_namespaces", ["*"]), ("allowed_namespaces", ["eu", "us"]),
                ("expires_at", "2098-01-01T00:00:01Z"),
            ] {
                var body = good
                body[name] = value
                let refused = try await client.post("/client-keys", .object(body))
                #expect(refused.status == 403, "\(name) \(value): \(refused)")
                #expect(refused.error == "Insufficient permissions")
            }
            #expect(try await client.get("/client-keys")["total"] == 0)

            let made = try await client.post("/client-keys", .object(good))
            #expect(made.status == 201, "\(made)")
            #expect(try made.string("expires_at").hasPrefix("2098-01-01T00:00:00"))
            #expect(made["allowed_namespaces"] == ["eu"])
            let native = try await mortise.api.get(
                "/v1/workspaces/default/client-keys/\(try made.string("id"))",
                as: mortise.adminToken
            )
            #expect(native["allowed_ips"] == ["127.0.0.1", "192.0.2.0/24"])
            #expect(native["mode"] == "test")
            #expect(native["rate_limit_per_minute"] == 1000)

            // A key cannot change a stronger key, even within its own restrictions, because the change could extend the
            // stronger key's life.
            let strong = try await mortise.makeClientKey(
                "strong",
                ["scopes": ["write:orders"], "expires_at": "2030-01-01T00:00:00Z"]
            )
            let later = try await client.send(
                "PATCH",
                "/client-keys/\(strong.id)",
                ["expires_at": "2090-01-01T00:00:00Z", "rate_limit_per_minute": 10, "allowed_namespaces": ["eu"]]
            )
            #expect(later.status == 403, "\(later)")
            for change: JSONValue in [
                ["scopes": ["*"]], ["rate_limit_per_minute": 2000], ["expires_at": "2099-01-01T00:00:00Z"],
            ] {
                for id in [try made.string("id"), strong.id] {
                    let refused = try await client.send("PATCH", "/client-keys/\(id)", change)
                    #expect(refused.status == 403, "\(change): \(refused)")
                }
            }
            let change = try await client.send("PATCH", "/client-keys/\(made.string("id"))", ["name": "still made"])
            #expect(change.status == 200, "\(change)")
        }
    }

    // The attack: the user of an application has a client key and tries the keys of other users.
    @Test func `a client key can reach the keys of its subject only`() async throws {
        try await withMortise { mortise in
            let scopes: JSONValue = ["scopes": ["clientkeys:*"]]
            let own = try await mortise.makeClientKey("own", subject: "user_1", scopes)
            let foreign = try await mortise.makeClientKey("foreign", subject: "user_2", scopes)
            let client = FluxbaseClient(mortise, key: own.token)
            #expect(try await client.get("/client-keys")["client_keys"]?.array?.map { $0["id"] } == [.string(own.id)])
            #expect(try await client.get("/client-keys?user_id=user_2").status == 200)
            #expect(try await client.get("/client-keys?user_id=user_2")["total"] == 0)
            for (method, path, body): (String, String, JSONValue?) in [
                ("GET", "", nil), ("PATCH", "", ["name": "mine"]), ("POST", "/revoke", [:]), ("DELETE", "", nil),
            ] {
                let answer = try await client.send(method, "/client-keys/\(foreign.id)\(path)", body)
                #expect(answer.status == 404, "\(method): \(answer)")
            }
            #expect(try await mortise.verdict(foreign.token) == "valid")
            let made = try await client.post("/client-keys", ["name": "more", "scopes": ["clientkeys:read"]])
            #expect(made["user_id"] == "user_1")
            #expect(try await client.post("/client-keys/\(own.id)/revoke", [:]).status == 200)
            #expect(try await client.get("/client-keys").status == 401)
        }
    }

    @Test func `a key reaches its own tenant only, whatever tenant the header names`() async throws {
        try await withMortise { mortise in
            let other = try await mortise.makeWorkspace("Other")
            let acme = try await mortise.makeOrganization("Acme")
            let key = try await mortise.makeKey("other", ["scopes": ["*"]], in: other)
            var client = FluxbaseClient(mortise, key: key.token)
            let made = try await client.post("/client-keys", ["name": "there", "scopes": ["*"]])
            #expect(made.status == 201, "\(made)")
            let path = "/v1/workspaces/\(other)/client-keys/\(try made.string("id"))"
            #expect(try await mortise.api.get(path, as: mortise.adminToken).status == 200)
            for tenant in ["default", try await mortise.defaultWorkspaceID(), acme.workspaceID, "no-such"] {
                client.tenant = tenant
                let answer = try await client.get("/client-keys")
                #expect(answer.status == 404, "\(answer)")
                #expect(answer.error == "tenant not found")
            }
            client.tenant = other
            #expect(try await client.get("/client-keys")["total"] == 1)
        }
    }

    // The attack: an application has a key for all of its own scopes and reads everybody's client keys.
    @Test(arguments: ["read:*", "write:*", "read:client-keys", "clientkeysx:*"])
    func `scopes of the application itself give no management permission`(_ scope: String) async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey("application", ["scopes": [.string(scope)]])
            let client = FluxbaseClient(mortise, key: key.token)
            #expect(try await client.get("/client-keys").status == 403)
            #expect(try await client.post("/client-keys", ["name": "n", "scopes": [.string(scope)]]).status == 403)
        }
    }

    // The attack: a thief widens a key again and again, and one of these requests waits while the owner revokes the stolen key.
    @Test func `a change that waited does not come after the revocation of its key`() async throws {
        try await withMortise { mortise in
            let stolen = try await mortise.makeKey("stolen", ["scopes": ["*"]])
            let target = try await mortise.makeClientKey("target", ["scopes": ["read:x"]])
            let database = try await mortise.workspaceDatabase()
            try await mortise.withConnection(database) { owner in
                try await owner.script(
                    """
                    BEGIN;
                    SELECT 1 FROM auth.client_keys WHERE id = '\(target.id)' FOR UPDATE;
                    UPDATE auth.service_keys SET revoked_at = now(), revoked_by = 'platform' WHERE id = '\(stolen.id)'
                    """
                )
                async let widened = Self.widen(target.id, as: stolen.token, mortise)
                try await eventually("the change waits for the key that it is about") {
                    let waiting = try await mortise.rows(
                        database,
                        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                    )
                    return !waiting.isEmpty
                }
                try await owner.script("COMMIT")
                let late = try await widened
                #expect(late.status == 401, "\(late)")
            }
            let key = try await mortise.api.get(target.path, as: mortise.adminToken)
            #expect(key["scopes"] == ["read:x"], "\(key)")
        }
    }

    private static func widen(_ id: String, as token: String, _ mortise: ServerHarness) async throws -> Answer {
        try await FluxbaseClient(mortise, key: token).send("PATCH", "/client-keys/\(id)", ["scopes": ["*"]])
    }

    // The attack: a test key, which is easy to find, makes a live key stronger.
    @Test func `a test key cannot change a live key`() async throws {
        try await withMortise { mortise in
            let live = try await mortise.makeClientKey("live", ["scopes": ["read:x"]])
            let test = try await mortise.makeKey("test", ["scopes": ["*"], "mode": "test"])
            let client = FluxbaseClient(mortise, key: test.token)
            let refused = try await client.send("PATCH", "/client-keys/\(live.id)", ["scopes": ["*"]])
            #expect(refused.status == 403, "\(refused)")
            #expect(try await mortise.verdict(live.token, ["scopes": ["write:x"]]) == "insufficient_scope")
        }
    }

    @Test func `a key can change only keys whose addresses are within its own addresses`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey("wide", ["scopes": ["*"], "allowed_ips": ["127.0.0.0/8", "::1"]])
            let client = FluxbaseClient(mortise, key: key.token)
            for (addresses, status): (JSONValue, Int) in [
                (["127.0.0.1"], 200), (["127.1.0.0/16", "::1"], 200), (["126.0.0.0/7"], 403), (["::/64"], 403),
                (["10.0.0.1"], 403), ([], 403),
            ] {
                let other = try await mortise.makeClientKey("other", ["allowed_ips": addresses])
                let answer = try await client.send("PATCH", "/client-keys/\(other.id)", ["description": "seen"])
                #expect(answer.status == status, "\(addresses): \(answer)")
            }
        }
    }

    @Test func `an anon key manages nothing, and a key over its limit gets 429`() async throws {
        try await withMortise { mortise in
            let anon = try await mortise.makeKey("anon", ["type": "anon", "scopes": ["*"]])
            #expect(try await FluxbaseClient(mortise, key: anon.token).get("/client-keys").status == 403)
            // Client keys have no namespace. The namespaces of a key therefore neither refuse the request nor bypass
            // the limit.
            for namespaces: JSONValue in [nil, ["eu"]] {
                let limited = try await mortise.makeKey(
                    "limited \(namespaces.text)",
                    ["scopes": ["*"], "rate_limit_per_hour": 1, "allowed_namespaces": namespaces]
                )
                let client = FluxbaseClient(mortise, key: limited.token)
                #expect(try await client.get("/client-keys").status == 200)
                let refused = try await client.get("/client-keys")
                #expect(refused.status == 429)
                #expect(refused.code == "RATE_LIMIT_EXCEEDED" && refused.error == "Rate limit exceeded")
                #expect(refused["message"]?.string != nil)
                #expect(refused["retry_after"]?.text == refused.headers["retry-after"])
            }
        }
    }
}
