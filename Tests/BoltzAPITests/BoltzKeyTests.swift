import JSON
import Postgres
import ServerTestSupport
import TestSupport
import Testing

/// API keys through the Boltz surface, on the wire.
@Suite(.hangLimit) struct BoltzKeyTests {
    private static let members = [
        "id", "allowed_ips", "created_at", "expires_at", "is_active", "key_prefix", "key_type", "last_used_at",
        "livemode",
        "name", "workspace_id",
    ]

    @Test func `a key has eleven members, nulls included, and its token is shown once`() async throws {
        try await withMortise { mortise in
            let made = try await mortise.boltz("POST", ServerHarness.boltzKeys, ["name": "x"], as: mortise.adminToken)
            #expect(made.json.object?.members.map(\.name) == ["key", "key_details"])
            #expect(made["key_details"]?.object?.members.map(\.name) == Self.members)
            #expect(made["key_details", "expires_at"] == .null)
            #expect(made["key_details", "last_used_at"] == .null)
            let token = try made.string("key")
            #expect(try made.string("key_details", "key_prefix") == String(token.prefix(12)))
            let listed = try await mortise.boltz("GET", ServerHarness.boltzKeys, as: mortise.adminToken)
            #expect(listed.json.object?.members.map(\.name) == ["data", "first_id", "last_id", "has_more"])
            for key in listed["data"]?.array ?? [] { #expect(key.object?.members.map(\.name) == Self.members) }
            #expect(!listed.text.contains(token))
            // The key is an ordinary service key.
            let id = ServerHarness.nativeID(try made.string("key_details", "id"))
            let native = try await mortise.api.get("\(ServerHarness.keys())/\(id)", as: mortise.adminToken)
            #expect(try native.string("type") == "service")
        }
    }

    @Test func `a key is active while it can be used`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeBoltzKey(["expires_in_days": 365])
            let path = "\(ServerHarness.keys())/\(ServerHarness.nativeID(key.id))"
            #expect(try await mortise.boltzKey(key.id)["is_active"] == true)
            for (call, isActive) in [("disable", false), ("enable", true), ("deprecate", true)] {
                _ = try await mortise.api.post("\(path)/\(call)", as: mortise.adminToken)
                #expect(try await mortise.boltzKey(key.id)["is_active"] == .bool(isActive), "\(call)")
                let isValid = try await mortise.verdict(key.token) == "valid"
                #expect(isValid == isActive, "\(call)")
            }
            try await mortise.inWorkspace("UPDATE auth.service_keys SET expires_at = now() - interval '1 second'")
            #expect(try await mortise.boltzKey(key.id)["is_active"] == false)
            #expect(try await mortise.verdict(key.token) == "expired")
            // The keys of a suspended workspace are inactive.
            let other = try await mortise.makeBoltzKey()
            _ = try await mortise.api.post("/v1/workspaces/default/suspend", as: mortise.adminToken)
            #expect(try await mortise.boltzKey(other.id)["is_active"] == false)
            let me = try await mortise.boltz("GET", "/compute/v1/auth/me", as: other.token)
            #expect(me.status == 401)
        }
    }

    @Test func `revocation needs no body, can be repeated and works for admin keys`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeBoltzKey()
            let path = "\(ServerHarness.boltzKeys)/\(key.id)/revoke"
            var answers: [Answer] = []
            for body in [nil, "", "{}", "not json"] {
                answers.append(try await mortise.boltz("POST", path, raw: body, as: mortise.adminToken))
            }
            #expect(answers.allSatisfy { $0.status == 200 && $0.text == answers[0].text }, "\(answers)")
            #expect(answers[0]["is_active"] == false)
            #expect(try await mortise.verdict(key.token) == "revoked")

            let admin = try await mortise.makeAdmin(["keys:read"])
            let id = "api_key_00000000" + admin.id.filter { $0 != "-" }
            #expect(try await mortise.boltzKey(id)["workspace_id"] == .null)
            // The attack: a caller with few permissions revokes the key of a caller with more.
            let weak = try await mortise.makeAdmin(["keys:write"])
            let refused = try await mortise.boltz("POST", "\(ServerHarness.boltzKeys)/\(id)/revoke", as: weak.token)
            #expect(refused.status == 403)
            let ended = try await mortise.boltz(
                "POST",
                "\(ServerHarness.boltzKeys)/\(id)/revoke",
                as: mortise.adminToken
            )
            #expect(ended["is_active"] == false && ended["key_type"] == "admin")
            #expect(try await mortise.boltz("GET", ServerHarness.boltzKeys, as: admin.token).status == 401)
        }
    }

    // The attack: the answer to a creation is lost, and the client's retry leaves an unknown key.
    @Test func `an Idempotency-Key creates one key and belongs to one request`() async throws {
        try await withMortise { mortise in
            let again = [("Idempotency-Key", "once")]
            let path = ServerHarness.boltzKeys
            let first = try await mortise.boltz("POST", path, ["name": "a"], as: mortise.adminToken, headers: again)
            let second = try await mortise.boltz("POST", path, ["name": "a"], as: mortise.adminToken, headers: again)
            #expect(first.status == 200)
            #expect(try first.string("key") == second.string("key"))
            for name in Self.members { #expect(first["key_details", name] == second["key_details", name], "\(name)") }
            #expect(second.headers["idempotent-replayed"] == "true")
            let other = try await mortise.boltz("POST", path, ["name": "b"], as: mortise.adminToken, headers: again)
            #expect(other.status == 422)
            let odd = [("Idempotency-Key", "two words")]
            let refused = try await mortise.boltz("POST", path, ["name": "b"], as: mortise.adminToken, headers: odd)
            #expect(refused.status == 400)
            #expect(refused["details", "Idempotency-Key"] != nil)
            let keys = try await mortise.boltz("GET", path, as: mortise.adminToken)
            #expect(keys["data"]?.array?.count == 2)
        }
    }

    @Test func `bad input is refused in Boltz's error format with all faults at once`() async throws {
        try await withMortise { mortise in
            let path = ServerHarness.boltzKeys
            let many = try await mortise.boltz(
                "POST",
                path,
                ["allowed_ips": ["192.0.2.1", "192.0.2.1/8"], "expires_in_days": 0, "mode": "dry", "more": 1],
                as: mortise.adminToken
            )
            #expect(many.status == 400 && many.code == "VALIDATION_ERROR")
            let faults = Set(many["details"]?.object?.members.map(\.name) ?? [])
            #expect(faults == ["name", "allowed_ips.1", "expires_in_days", "mode", "more"])
            // docs/clients.md states this limit.
            for (count, status) in [(100, 200), (101, 400)] {
                let addresses = (0..<count).map { JSONValue.string("192.0.2.\($0)") }
                let body: JSONValue = ["name": .string("with \(count)"), "allowed_ips": .array(addresses)]
                #expect(try await mortise.boltz("POST", path, body, as: mortise.adminToken).status == status)
            }
            for raw in ["{", "[]", "\"\"", "nul", ""] {
                let answer = try await mortise.boltz("POST", path, raw: raw, as: mortise.adminToken)
                #expect(answer.status == 400 && answer.code == "bad_request", "\(raw): \(answer)")
            }
            // The client sends an argument that is explicitly None as null. It means the same as an absent member.
            let nulls = try await mortise.boltz(
                "POST",
                path,
                ["name": "x", "allowed_ips": nil, "expires_in_days": nil, "mode": nil, "workspace_id": nil],
                as: mortise.adminToken
            )
            #expect(nulls.status == 200, "\(nulls)")
            let large = String(repeating: " ", count: 70_000)
            #expect(try await mortise.boltz("POST", path, raw: large, as: mortise.adminToken).status == 413)
            let xml = [("Content-Type", "application/xml")]
            #expect(
                try await mortise.boltz("POST", path, raw: "<x/>", as: mortise.adminToken, headers: xml).status == 415
            )
            #expect(try await mortise.boltz("PATCH", path, as: mortise.adminToken).code == "method_not_allowed")
            #expect(
                try await mortise.boltz("GET", "/compute/v1/unheard-of", as: mortise.adminToken).code == "not_found"
            )
            for query in [
                "limit=0", "limit=101", "limit=1.0", "limit=%31%00", "after_id=%00", "after_id=", "x=1", "%ZZ=1",
            ] {
                let answer = try await mortise.boltz("GET", "\(path)?\(query)", as: mortise.adminToken)
                #expect(answer.status == 400 && answer.code == "VALIDATION_ERROR", "\(query): \(answer)")
            }
        }
    }

    @Test func `a list fails if a workspace's database is unavailable, and is never partial`() async throws {
        try await withMortise { mortise in
            let other = try await mortise.boltz(
                "POST",
                ServerHarness.boltzWorkspaces,
                ["name": "Other"],
                as: mortise.adminToken
            )
            let id = try other.string("id")
            let kept = try await mortise.makeBoltzKey(["workspace_id": .string(id)])
            let down = try await mortise.makeBoltzKey()
            let database = try await mortise.workspaceDatabase()
            try await mortise.cutOff(database)
            let refused = try await mortise.boltz("GET", ServerHarness.boltzKeys, as: mortise.adminToken)
            #expect(refused.status == 503 && refused.code == "workspace_unavailable", "\(refused)")
            let path = "\(ServerHarness.boltzKeys)/\(down.id)/revoke"
            #expect(try await mortise.boltz("POST", path, as: mortise.adminToken).status == 503)
            #expect(try await mortise.boltz("GET", "/compute/v1/auth/me", as: down.token).status == 503)
            let whole = try await mortise.boltz(
                "GET",
                "\(ServerHarness.boltzKeys)?workspace_id=\(id)",
                as: mortise.adminToken
            )
            #expect(whole["first_id"]?.string == kept.id)
            try await mortise.restore(database)
            try await eventually("the list is back") {
                try await mortise.boltz("GET", ServerHarness.boltzKeys, as: mortise.adminToken).status == 200
            }
        }
    }

    @Test func `a deleted key still serves as a cursor`() async throws {
        try await withMortise { mortise in
            var ids: [String] = []
            for _ in 0..<3 { ids.insert(try await mortise.makeBoltzKey().id, at: 0) }
            let path = "\(ServerHarness.keys())/\(ServerHarness.nativeID(ids[1]))"
            #expect(try await mortise.api.send("DELETE", path, as: mortise.adminToken).status == 204)
            for (query, expected) in [("after_id=\(ids[1])", ids[2]), ("before_id=\(ids[1])", ids[0])] {
                let page = try await mortise.boltz(
                    "GET",
                    "\(ServerHarness.boltzKeys)?limit=1&\(query)",
                    as: mortise.adminToken
                )
                #expect(page["first_id"]?.string == expected, "\(query): \(page)")
            }
        }
    }

    // The attack: somebody uses a key for one network, one mode and one month from elsewhere, for another mode or
    // later.
    @Test func `the restrictions of a new key are enforced`() async throws {
        try await withMortise { mortise in
            let networks: JSONValue = ["192.0.2.0/24", "2001:db8::/32", "198.51.100.7"]
            let other = try await mortise.makeWorkspace("Other")
            let key = try await mortise.makeBoltzKey([
                "name": "shared", "allowed_ips": networks, "expires_in_days": 30, "mode": "test",
                "workspace_id": .string(ServerHarness.boltzWorkspace(other)),
            ])
            let shown = try await mortise.boltzKey(key.id)
            #expect(shown["allowed_ips"] == networks && shown["livemode"] == false, "\(shown.text)")
            #expect(shown["workspace_id"]?.string == ServerHarness.boltzWorkspace(other))
            for (asked, code): (JSONValue, String) in [
                (["address": "192.0.2.200"], "valid"), (["address": "2001:db8:1::1"], "valid"),
                (["address": "198.51.100.7"], "valid"), (["address": "198.51.100.8"], "wrong_address"),
                ([:], "wrong_address"), (["address": "192.0.2.1", "mode": "live"], "wrong_mode"),
            ] {
                #expect(try await mortise.verdict(key.token, asked) == code, "\(asked.text)")
            }
            let lives = try await mortise.rows(
                try await mortise.workspaceDatabase("other"),
                "SELECT extract(epoch FROM expires_at - created_at)::bigint FROM auth.service_keys"
            )
            #expect(try lives.first?.decode(0, as: Int64.self) == 30 * 86_400)
            // A key has no end by default, and two keys may share a name.
            let sameName = [
                try await mortise.makeBoltzKey(["name": "shared"]), try await mortise.makeBoltzKey(["name": "shared"]),
            ]
            #expect(try await mortise.boltzKey(sameName[1].id)["expires_at"] == .null)
        }
    }
}
