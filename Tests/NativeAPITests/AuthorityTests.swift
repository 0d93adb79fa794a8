import JSON
import ServerTestSupport
import TestSupport
import Testing

/// The bounds of what a credential can hand on and take back.
@Suite(.hangLimit) struct AuthorityTests {
    private static let admins = "/v1/organizations/default/admin-keys"
    private static let clients = "/v1/workspaces/default/client-keys"

    // The attack: a key of a build system, in test mode, for an hour and one address, makes itself a key without any of that.
    @Test func `an admin key hands on its own restrictions, and widens no key beyond them`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let own: JSONObject = [
                "name": "ci", "mode": "test", "expires_at": "2090-01-01T00:00:00Z", "allowed_ips": ["127.0.0.1"],
                "rate_limit_per_minute": 1000, "permissions": ["keys:read", "keys:write", "members:write"],
                "allowed_namespaces": ["eu"],
            ]
            let ci = try await api.post(Self.admins, .object(own), as: mortise.adminToken)
            let (token, path) = (try ci.string("token"), "\(Self.admins)/\(try ci.string("key", "id"))")
            let made = try await api.post(Self.admins, ["name": "made"], as: token)
            #expect(made.status == 201, "\(made)")
            for (name, value): (String, JSONValue) in [
                ("mode", "test"), ("allowed_ips", ["127.0.0.1"]), ("rate_limit_per_minute", 1000),
            ] {
                #expect(made["key", name] == value, "\(name): \(made)")
            }
            #expect(try made.string("key", "expires_at").hasPrefix("2090-01-01T00:00:00"))
            for body: JSONValue in [
                ["name": "x", "mode": "live"], ["name": "x", "expires_at": "2091-01-01T00:00:00Z"],
                ["name": "x", "allowed_ips": ["127.0.0.0/8"]], ["name": "x", "permissions": ["events:read"]],
            ] {
                #expect(try await api.post(Self.admins, body, as: token).status == 403, "\(body)")
            }
            for change: JSONValue in [
                ["expires_at": nil], ["allowed_ips": nil], ["allowed_ips": []], ["rate_limit_per_minute": nil],
                ["rate_limit_per_minute": 1001], ["allowed_ips": ["127.0.0.1", "::1"]], ["allowed_namespaces": nil],
            ] {
                #expect(try await api.send("PATCH", path, change, as: token).status == 403, "\(change)")
                #expect(try await api.send("PATCH", path, change, as: mortise.adminToken).status == 200, "\(change)")
                var back = own
                for name in ["name", "mode", "permissions"] { back[name] = nil }
                let restored = try await api.send("PATCH", path, .object(back), as: mortise.adminToken)
                #expect(restored.status == 200, "\(restored)")
            }
            // The keys that it makes for servers are test keys, with ends and addresses of their own.
            let service = try await api.post("/v1/workspaces/default/service-keys", ["name": "s"], as: token)
            #expect(service["key", "mode"] == "test" && service["key", "expires_at"] == .null, "\(service)")
            #expect(try await mortise.makeClientKey("c", as: token).token.hasPrefix("mkc_test_"))
            let live = try await api.post(
                "/v1/workspaces/default/service-keys",
                ["name": "l", "mode": "live"],
                as: token
            )
            #expect(live.status == 403, "\(live)")
            let owner: JSONValue = ["email": "o@example.org", "role": "member"]
            #expect(try await api.post("/v1/organizations/default/members", owner, as: token).status == 403)
        }
    }

    // The attack: a user whose key was switched off for abuse switches it on again, and lifts its limits.
    @Test func `what administration took from a member's key only administration gives back`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let person = try await mortise.addMember("m@example.org", "member")
            let member = try await mortise.signIn("m@example.org").access
            let body: JSONValue = ["name": "k", "subject": .string(person.userID), "scopes": ["read:x"]]
            let path = "\(Self.clients)/\(try await api.post(Self.clients, body, as: member).string("key", "id"))"
            func patch(_ change: JSONValue, _ token: String) async throws -> Int {
                try await api.send("PATCH", path, change, as: token).status
            }
            // Members change a restriction that they set themselves as they like.
            #expect(try await patch(["rate_limit_per_minute": 10, "allowed_ips": ["127.0.0.1"]], member) == 200)
            #expect(try await patch(["rate_limit_per_minute": nil, "allowed_ips": nil], member) == 200)
            #expect(try await api.post("\(path)/disable", as: member).status == 200)
            #expect(try await api.post("\(path)/enable", as: member).status == 200)

            let limits: JSONValue = [
                "rate_limit_per_minute": 10, "allowed_ips": ["127.0.0.0/8"], "allowed_namespaces": ["eu"],
                "expires_at": "2090-01-01T00:00:00Z",
            ]
            #expect(try await patch(limits, mortise.adminToken) == 200)
            #expect(try await api.post("\(path)/disable", as: mortise.adminToken).status == 200)
            #expect(try await api.post("\(path)/enable", as: member).status == 403)
            for change: JSONValue in [
                ["rate_limit_per_minute": nil], ["rate_limit_per_minute": 11], ["allowed_ips": nil],
                ["allowed_ips": ["10.0.0.1"]], ["allowed_namespaces": nil], ["expires_at": nil],
                ["expires_at": "2091-01-01T00:00:00Z"],
            ] {
                #expect(try await patch(change, member) == 403, "\(change)")
            }
            // Also where the member was first: a restriction that administration repeats is administration's.
            let second = try await api.post(Self.clients, body, as: member).string("key", "id")
            let secondPath = "\(Self.clients)/\(second)"
            let limit: JSONValue = ["rate_limit_per_minute": 10]
            #expect(try await api.send("PATCH", secondPath, limit, as: member).status == 200)
            #expect(try await api.post("\(secondPath)/disable", as: member).status == 200)
            #expect(try await api.send("PATCH", secondPath, limit, as: mortise.adminToken).status == 200)
            #expect(try await api.post("\(secondPath)/disable", as: mortise.adminToken).status == 200)
            #expect(try await api.post("\(secondPath)/enable", as: member).status == 403)
            let lifted: JSONValue = ["rate_limit_per_minute": nil]
            #expect(try await api.send("PATCH", secondPath, lifted, as: member).status == 403)
            // Tighter is fine, and what is not a restriction is the member's.
            #expect(try await patch(["rate_limit_per_minute": 5, "allowed_ips": ["127.0.0.1"]], member) == 200)
            #expect(try await patch(["rate_limit_per_minute": 10], member) == 403)
            #expect(try await patch(["name": "mine", "rate_limit_per_hour": 100], member) == 200)
            #expect(try await patch(["rate_limit_per_hour": nil], member) == 200)
            // Once administration has given it back, it is the member's again.
            #expect(try await patch(["rate_limit_per_minute": nil], mortise.adminToken) == 200)
            #expect(try await api.post("\(path)/enable", as: mortise.adminToken).status == 200)
            #expect(try await patch(["rate_limit_per_minute": 7], member) == 200)
            #expect(try await patch(["rate_limit_per_minute": nil], member) == 200)
            #expect(try await api.post("\(path)/disable", as: member).status == 200)
            #expect(try await api.post("\(path)/enable", as: member).status == 200)
        }
    }

    // The attack: a user gives an own key the scope that the application asks of its administrators.
    @Test func `members give scopes up to their ceiling, in every dialect`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let person = try await mortise.addMember("m@example.org", "member")
            let member = try await mortise.signIn("m@example.org").access
            func create(_ scopes: JSONValue) async throws -> Int {
                let body: JSONValue = ["name": "k", "subject": .string(person.userID), "scopes": scopes]
                return try await api.post(Self.clients, body, as: member).status
            }
            var client = FluxbaseClient(mortise, key: "anon")
            client.accessToken = member
            func createThere(_ scopes: JSONValue) async throws -> Int {
                try await client.post("/client-keys", ["name": "f", "scopes": scopes]).status
            }
            for scopes: JSONValue in [["*"], ["read:*"], ["read:x", "write:*"]] {
                #expect(try await create(scopes) == 403, "\(scopes)")
                #expect(try await createThere(scopes) == 403, "\(scopes)")
            }
            #expect(try await create(["read:x"]) == 201)
            #expect(try await createThere(["read:x"]) == 201)
            let ceiling = try await api.send(
                "PATCH",
                "/v1/workspaces/default",
                ["member_scopes": ["read:*"]],
                as: mortise.adminToken
            )
            #expect(ceiling["member_scopes"] == ["read:*"], "\(ceiling)")
            for (scopes, status): (JSONValue, Int) in [
                (["read:x"], 201), (["read:*"], 201), (["write:x"], 403), (["*"], 403),
            ] {
                #expect(try await create(scopes) == status, "\(scopes)")
                #expect(try await createThere(scopes) == status, "\(scopes)")
            }
            // A scope that the key has already stays, also if it is above the ceiling.
            let given = try await mortise.makeClientKey(
                "given",
                subject: person.userID,
                ["scopes": ["admin:x", "read:x"]]
            )
            let narrowed = try await api.send("PATCH", given.path, ["scopes": ["admin:x"]], as: member)
            #expect(narrowed.status == 200, "\(narrowed)")
            #expect(
                try await api.send("PATCH", given.path, ["scopes": ["admin:x", "read:x"]], as: member).status == 403
            )
            let open = try await api.send(
                "PATCH",
                "/v1/workspaces/default",
                ["member_scopes": nil],
                as: mortise.adminToken
            )
            #expect(open["member_scopes"] == .null, "\(open)")
        }
    }

    // The attack: a test key, which is easy to find, gives back live keys that were stopped, or lets members give more to theirs.
    @Test func `a test key resumes and restores no workspace, and raises no ceiling of members`() async throws {
        try await withMortise { mortise in
            let (api, path) = (mortise.api, "/v1/workspaces/default")
            let body: JSONValue = ["name": "ci", "mode": "test", "permissions": ["keys:write", "workspaces:write"]]
            let test = try await api.post(Self.admins, body, as: mortise.adminToken).string("token")
            let weak = try await mortise.makeAdmin(["workspaces:write"]).token
            let ceiling: JSONValue = ["member_scopes": ["*"]]
            #expect(try await api.send("PATCH", path, ceiling, as: test).status == 403)
            // Members create keys, so a key that creates none does not say what theirs can do.
            #expect(try await api.send("PATCH", path, ceiling, as: weak).status == 403)
            #expect(try await api.send("PATCH", path, ["name": "Other"], as: weak).status == 200)
            #expect(try await api.get(path, as: mortise.adminToken)["member_scopes"] == .null)

            #expect(try await api.post("\(path)/suspend", as: test).status == 200)
            #expect(try await api.post("\(path)/resume", as: test).status == 403)
            #expect(try await api.post("\(path)/resume", as: weak).status == 200)
            let second = try await mortise.makeWorkspace("Second")
            #expect(try await api.post("/v1/workspaces/\(second)/archive", as: test).status == 403)
            #expect(try await api.post("/v1/workspaces/\(second)/archive", as: weak).status == 200)
            #expect(try await api.post("/v1/workspaces/\(second)/restore", as: test).status == 403)
            #expect(try await api.post("/v1/workspaces/\(second)/restore", as: weak).status == 200)
        }
    }

    // The attack: a test key, which is easy to find, destroys live keys with all that could be looked at afterwards.
    @Test func `a test key deletes nothing that is live, in every dialect, and stops live keys`() async throws {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let rights: JSONValue = ["keys:read", "keys:write", "workspaces:write"]
            let body: JSONValue = ["name": "ci", "mode": "test", "permissions": rights]
            let test = try await api.post(Self.admins, body, as: admin).string("token")
            let tests = try await api.post(
                "/v1/operator-keys",
                ["name": "t", "mode": "test"],
                as: mortise.operatorToken
            )
            let shop = try await mortise.makeWorkspace("Shop")
            let live = try await mortise.makeKey("live")
            let client = try await mortise.makeClientKey("client")
            let apiKey = try await mortise.makeAPIKey()
            let strong = try await mortise.makeAdmin(["keys:read"])
            let fluxbase = FluxbaseClient(mortise, key: test)
            let boltz = "\(ServerHarness.boltzWorkspaces)/\(ServerHarness.boltzWorkspace(shop))/archive"
            let archive = "/v1/workspaces/\(shop)/archive"
            let refused = [
                try await api.send("DELETE", live.path, as: test), try await api.send("DELETE", client.path, as: test),
                try await api.send("DELETE", strong.path, as: test), try await api.post(archive, as: test),
                try await api.send("DELETE", "/v1/workspaces/\(shop)", as: test),
                try await api.send("DELETE", "/v1/organizations/default", as: try tests.string("token")),
                try await fluxbase.send("DELETE", "/admin/service-keys/\(live.id)"),
                try await fluxbase.send("DELETE", "/admin/tenants/\(shop)"),
                try await fluxbase.send("DELETE", "/admin/tenants/\(shop)?hard=true"),
                try await mortise.clerk("DELETE", "/v1/api_keys/\(apiKey.id)", as: test),
                try await mortise.boltz("POST", boltz, as: test),
            ]
            for (number, answer) in refused.enumerated() { #expect(answer.status == 403, "\(number): \(answer)") }
            for answer in refused.prefix(6) {
                #expect(answer["detail"]?.string?.contains("A key in test mode cannot") == true, "\(answer)")
            }
            for key in [live, client, strong] {
                #expect(try await api.get(key.path, as: admin)["status"] == "active")
            }
            #expect(try await api.get("/v1/workspaces/\(shop)", as: admin)["state"] == "active")
            // An archived workspace is no more the test key's to delete.
            #expect(try await api.post(archive, as: admin).status == 200)
            #expect(try await api.send("DELETE", "/v1/workspaces/\(shop)", as: test).status == 403)
            #expect(try await fluxbase.send("DELETE", "/admin/tenants/\(shop)?hard=true").status == 403)

            #expect(try await api.post("\(live.path)/disable", as: test).status == 200)
            #expect(try await api.post("\(live.path)/revoke", as: test).status == 200)
            #expect(try await api.send("DELETE", live.path, as: test).status == 403)
            #expect(try await api.post("\(strong.path)/revoke", as: test).status == 200)
            // What it can create, it can delete.
            let own = try await mortise.makeKey("own", as: test)
            #expect(try await api.send("DELETE", own.path, as: test).status == 204)
        }
    }

    // The attack: an operator suspends a workspace whose keys do harm, and the organization's own admin key resumes it.
    @Test func `what an operator stopped only an operator lets go on`() async throws {
        try await withMortise { mortise in
            let (api, admin, theOperator) = (mortise.api, mortise.adminToken, mortise.operatorToken)
            let made = try await api.post("/v1/organizations/default/workspaces", ["name": "Shop"], as: admin)
            let path = "/v1/workspaces/\(try made.string("id"))"
            let key = try await mortise.makeKey("k", in: "shop")
            func change(_ change: String, as token: String) async throws -> String {
                let answer = try await api.post("\(path)/\(change)", as: token)
                guard answer.status == 200 else {
                    #expect(answer.status == 403 && answer.code == "forbidden", "\(answer)")
                    #expect(answer["detail"]?.string?.contains("ask the operator") == true, "\(answer)")
                    return "refused"
                }
                return try answer.string("state") + (answer["held_by_operator"] == true ? ", held" : "")
            }
            let changes = [
                // An operator takes the place of the organization that suspended the workspace itself.
                ("suspend", admin, "suspended"), ("suspend", theOperator, "suspended, held"),
                ("resume", admin, "refused"), ("suspend", admin, "suspended, held"),
                // The way through another state is closed, too.
                ("archive", admin, "archived, held"), ("restore", admin, "refused"),
                ("restore", theOperator, "suspended, held"), ("resume", admin, "refused"),
                ("resume", theOperator, "active"),
                // An archival by an operator.
                ("archive", theOperator, "archived, held"), ("restore", admin, "refused"),
                ("restore", theOperator, "active"),
                // What the organization stopped itself, an operator can let go on.
                ("suspend", admin, "suspended"), ("resume", theOperator, "active"),
                ("suspend", admin, "suspended"), ("resume", admin, "active"),
            ]
            for (name, token, state) in changes {
                let outcome = try await change(name, as: token)
                let caller = token == admin ? "the organization" : "an operator"
                #expect(outcome == state, "\(name) by \(caller)")
                let verdict = try await mortise.verdict(key.token)
                #expect((verdict == "valid") == (outcome == "active"), "\(name) by \(caller): \(verdict)")
            }
            let events = try await api.get("\(path)/events?limit=100", as: admin)["data"]?.array ?? []
            #expect(events.contains { $0["changes"]?["held_by_operator"] != nil })
        }
    }

    // The attack: an operator switches an abused admin key off, or confines it, and an owner of the organization undoes that.
    @Test func `what an operator took from an admin key only an operator gives back`() async throws {
        try await withMortise { mortise in
            let (api, theOperator) = (mortise.api, mortise.operatorToken)
            let owner = try await mortise.session("owner@example.org", "owner")
            func make(_ name: String) async throws -> String {
                let made = try await api.post(Self.admins, ["name": .string(name)], as: mortise.adminToken)
                return "\(Self.admins)/\(try made.string("key", "id"))"
            }
            func patch(_ path: String, _ change: JSONValue, _ token: String) async throws -> Int {
                try await api.send("PATCH", path, change, as: token).status
            }
            let path = try await make("abused")
            let limits: JSONValue = [
                "rate_limit_per_minute": 10, "rate_limit_per_hour": 100, "allowed_ips": ["127.0.0.0/8"],
                "expires_at": "2090-01-01T00:00:00Z",
            ]
            #expect(try await patch(path, limits, theOperator) == 200)
            #expect(try await api.post("\(path)/disable", as: theOperator).status == 200)
            for caller in [owner, mortise.adminToken] {
                let refused = try await api.post("\(path)/enable", as: caller)
                #expect(refused.status == 403, "\(refused)")
                #expect(refused["detail"]?.string?.contains("Ask an operator") == true, "\(refused)")
                for change: JSONValue in [
                    ["rate_limit_per_minute": nil], ["rate_limit_per_minute": 11], ["rate_limit_per_hour": nil],
                    ["allowed_ips": nil], ["allowed_ips": []], ["allowed_ips": ["0.0.0.0/0"]], ["expires_at": nil],
                    ["expires_at": "2091-01-01T00:00:00Z"],
                ] {
                    #expect(try await patch(path, change, caller) == 403, "\(change)")
                }
            }
            #expect(try await patch(path, ["rate_limit_per_minute": 5, "name": "tighter"], owner) == 200)
            #expect(try await api.get(path, as: owner)["status"] == "disabled")
            #expect(try await api.post("\(path)/enable", as: theOperator).status == 200)
            #expect(try await patch(path, ["allowed_ips": nil], theOperator) == 200)
            // What the operator has lifted is the organization's again.
            #expect(try await patch(path, ["allowed_ips": ["127.0.0.1"]], owner) == 200)
            #expect(try await patch(path, ["allowed_ips": nil], owner) == 200)
            #expect(try await api.post("\(path)/disable", as: owner).status == 200)
            #expect(try await api.post("\(path)/enable", as: owner).status == 200)

            // An operator takes the place of the organization that disabled the key itself.
            let second = try await make("second")
            #expect(try await api.post("\(second)/disable", as: owner).status == 200)
            #expect(try await api.post("\(second)/disable", as: theOperator).status == 200)
            #expect(try await api.post("\(second)/enable", as: owner).status == 403)
            #expect(try await api.post("\(second)/enable", as: theOperator).status == 200)
        }
    }

    // The attack: a thief resumes a workspace again and again, and one of these requests waits while the owner revokes the thief's key.
    @Test func `a change of a workspace that waited does not come after the revocation of its key`() async throws {
        try await withMortise { mortise in
            let (api, path) = (mortise.api, "/v1/workspaces/default")
            let thief = try await mortise.makeAdmin(["workspaces:write"])
            #expect(try await api.post("\(path)/suspend", as: mortise.adminToken).status == 200)
            let late = try await mortise.during(
                """
                SELECT 1 FROM control.workspaces WHERE slug = 'default' FOR NO KEY UPDATE;
                UPDATE auth.service_keys SET revoked_at = now(), revoked_by = 'platform' WHERE id = '\(thief.id)'
                """
            ) {
                try await mortise.api.post("\(path)/resume", as: thief.token)
            }
            #expect(late.status == 401, "\(late)")
            #expect(try await api.get(path, as: mortise.adminToken)["state"] == "suspended")
        }
    }

    // The attack, or a slip: the last operator locks everybody out, in one of many ways.
    @Test func `the last operator key that works stays one`() async throws {
        try await withMortise { mortise in
            let (api, token) = (mortise.api, mortise.operatorToken)
            let path = "/v1/operator-keys"
            let id = try #require(try await api.get(path, as: token)["data"]?.array?.first?["id"]?.string)
            let last = "\(path)/\(id)"
            // Keys that do not count: one that is disabled, one that is going, one that ends within the day, and one in test mode, which
            // makes test keys alone.
            #expect(try await api.post(path, ["name": "test", "mode": "test"], as: token).status == 201)
            let disabled = try await api.post(path, ["name": "disabled"], as: token).string("key", "id")
            _ = try await api.post("\(path)/\(disabled)/disable", as: token)
            let going = try await api.post(path, ["name": "going"], as: token).string("key", "id")
            _ = try await api.post("\(path)/\(going)/deprecate", as: token)
            // One that does not work from here.
            let elsewhere: JSONValue = ["name": "elsewhere", "allowed_ips": ["10.0.0.1"]]
            #expect(try await api.post(path, elsewhere, as: token).status == 201)
            let brief = try await api.post(path, ["name": "brief", "expires_at": "2090-01-01T00:00:00Z"], as: token)
            try await mortise.script(
                mortise.installation.control,
                "UPDATE auth.service_keys SET expires_at = now() + interval '1 hour' WHERE name = 'brief'"
            )
            func refused(_ answer: Answer, _ what: String) {
                #expect(answer.status == 409, "\(what): \(answer)")
                #expect(answer["detail"]?.string?.contains("last operator key") == true, "\(what): \(answer)")
            }
            for call in ["revoke", "disable", "deprecate"] {
                refused(try await api.post("\(last)/\(call)", as: token), call)
            }
            refused(try await api.send("DELETE", last, as: token), "delete")
            refused(try await api.send("PATCH", last, ["permissions": []], as: token), "permissions")
            refused(try await api.send("PATCH", last, ["permissions": nil], as: token), "cleared permissions")
            refused(try await api.send("PATCH", last, ["expires_at": "2090-01-01T00:00:00Z"], as: token), "end")
            refused(try await api.send("PATCH", last, ["allowed_ips": ["10.0.0.1"]], as: token), "addresses")
            #expect(try await api.send("PATCH", last, ["name": "still here"], as: token).status == 200)
            #expect(try await api.post("\(path)/\(try brief.string("key", "id"))/revoke", as: token).status == 200)

            let next = try await api.post(path, ["name": "next"], as: token)
            let nextToken = try next.string("token")
            #expect(try await api.post("\(last)/revoke", as: token).status == 200)
            let nextPath = "\(path)/\(try next.string("key", "id"))"
            refused(try await api.post("\(nextPath)/revoke", as: nextToken), "the next one")
            let rotated = try await api.post("\(nextPath)/rotate", ["grace_period_seconds": 0], as: nextToken)
            #expect(rotated.status == 200, "\(rotated)")
            refused(try await api.post("\(nextPath)/disable", as: try rotated.string("token")), "after a rotation")
        }
    }

    // The attack: from an address at which the last live key does not work, a key in test mode ends it.
    @Test func `the last operator key stays one for callers at whose address it does not work`() async throws {
        try await withMortise { mortise in
            let (api, path) = (mortise.api, "/v1/operator-keys")
            let id = try #require(
                try await api.get(path, as: mortise.operatorToken)["data"]?.array?.first?["id"]?.string
            )
            let test = try await api.post(path, ["name": "test", "mode": "test"], as: mortise.operatorToken)
            try await mortise.script(
                mortise.installation.control,
                "UPDATE auth.service_keys SET allowed_ips = '{10.0.0.0/8}' WHERE id = '\(id)'"
            )
            for call in ["revoke", "disable"] {
                let answer = try await api.post("\(path)/\(id)/\(call)", as: try test.string("token"))
                #expect(answer.status == 409, "\(call): \(answer)")
            }
        }
    }

    // The attack: two operators revoke each other's key in the same moment.
    @Test func `of two operator keys that revoke each other one stays`() async throws {
        try await withMortise { mortise in
            let (api, path) = (mortise.api, "/v1/operator-keys")
            for round in 0..<5 {
                let keys = try await (0..<2)
                    .asyncMap {
                        try await api.post(path, ["name": .string("\(round)-\($0)")], as: mortise.operatorToken)
                    }
                let paths = try keys.map { "\(path)/\(try $0.string("key", "id"))" }
                let tokens = try keys.map { try $0.string("token") }
                try await mortise.script(
                    mortise.installation.control,
                    "UPDATE auth.service_keys SET disabled_at = now() WHERE name = 'First operator key'"
                )
                async let one = api.post("\(paths[1])/revoke", as: tokens[0])
                async let two = api.post("\(paths[0])/revoke", as: tokens[1])
                let statuses = try await [one.status, two.status]
                #expect(statuses.filter { $0 == 200 }.count == 1, "\(statuses)")
                try await mortise.script(
                    mortise.installation.control,
                    """
                    UPDATE auth.service_keys SET disabled_at = NULL WHERE name = 'First operator key';
                    DELETE FROM auth.service_keys WHERE kind = 'operator' AND name <> 'First operator key'
                    """
                )
            }
        }
    }

    @Test func `an organization is found by its slug and its name, by its own admin`() async throws {
        try await withMortise { mortise in
            let acme = try await mortise.makeOrganization("Anvils & Co")
            _ = try await mortise.api.send(
                "PATCH",
                "/v1/organizations/\(acme.id)",
                ["slug": "acme"],
                as: mortise.operatorToken
            )
            for (query, count) in [("acme", 1), ("ACM", 1), ("anvils", 1), ("", 1), ("default", 0), ("%25", 0)] {
                let path = "/v1/organizations" + (query.isEmpty ? "" : "?query=\(query)")
                let own = try await mortise.api.get(path, as: acme.token)
                #expect(own["data"]?.array?.count == count, "\(query): \(own)")
            }
        }
    }
}

extension Sequence {
    fileprivate func asyncMap<T>(_ transform: (Element) async throws -> T) async throws -> [T] {
        var results: [T] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
