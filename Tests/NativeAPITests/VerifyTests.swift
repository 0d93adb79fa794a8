import JSON
import Server
import ServerTestSupport
import Service
import TestSupport
import Testing
import Verification

/// A verification answers what the key may do, and only to the key's own organization.
@Suite(.hangLimit) struct VerifyTests {
    @Test func `each restriction of a key has its verdict`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey(
                "restricted",
                [
                    "scopes": ["read:*", "write:invoices"], "allowed_ips": ["192.0.2.0/24", "2001:db8::/32"],
                    "allowed_namespaces": ["eu"], "mode": "test", "type": "anon",
                ]
            )
            let good: JSONObject = ["address": "192.0.2.7", "namespace": "eu"]
            func asked(_ more: (String, JSONValue)...) -> JSONValue {
                var object = good
                for (name, value) in more { object[name] = value }
                return .object(object)
            }
            let cases: [(JSONValue, String)] = [
                (asked(), "valid"),
                (asked(("scopes", ["read:a", "write:invoices"])), "valid"),
                (asked(("scopes", ["write:orders"])), "insufficient_scope"),
                (asked(("scopes", ["*"])), "insufficient_scope"),
                (asked(("mode", "test")), "valid"),
                (asked(("mode", "live")), "wrong_mode"),
                (asked(("address", "198.51.100.1")), "wrong_address"),
                (asked(("address", "::ffff:192.0.2.9")), "valid"),
                (asked(("address", nil)), "wrong_address"),
                (asked(("namespace", "us")), "wrong_namespace"),
                (asked(("namespace", nil)), "wrong_namespace"),
            ]
            for (request, verdict) in cases {
                #expect(try await mortise.verdict(key.token, request) == verdict, "\(request.text)")
            }
            let answer = try await mortise.verify(key.token, .object(good))
            #expect(try answer.string("key", "id") == key.id)
            #expect(try answer.string("key", "kind") == "anon")
            #expect(answer["key", "subject"] == .null)
            #expect(answer["rate_limit"] == .null)
        }
    }

    @Test func `a rate limit is counted and reported, and its excess is a verdict`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey("limited", ["rate_limit_per_hour": 2])
            let first = try await mortise.verify(key.token)
            #expect(first["rate_limit", "limit"] == 2)
            #expect(first["rate_limit", "remaining"] == 1)
            #expect(try await mortise.verdict(key.token) == "valid")
            let third = try await mortise.verify(key.token)
            #expect(third.status == 200)
            #expect(third.code == "rate_limited")
            #expect(third["valid"] == false)
            #expect(third["rate_limit", "reset_at"]?.string != nil)
            // Neither a change nor a rotation resets the limit.
            _ = try await mortise.api.send("PATCH", key.path, ["name": "renamed"], as: mortise.adminToken)
            let second = try await mortise.api.post("\(key.path)/rotate", as: mortise.adminToken).string("token")
            #expect(try await mortise.verdict(second) == "rate_limited")
        }
    }

    // The attack: a tenant verifies tokens found elsewhere to learn whether they are genuine.
    @Test func `a foreign key, an unknown key and a deleted key get the same verdict`() async throws {
        try await withMortise { mortise in
            let acme = try await mortise.makeOrganization("Acme")
            let theirs = try await mortise.makeKey("theirs", in: acme.workspaceID, as: acme.token)
            let mine = try await mortise.makeKey("mine")
            let gone = try await mortise.makeKey("gone")
            _ = try await mortise.api.send("DELETE", gone.path, as: mortise.adminToken)
            #expect(try await mortise.verdict(theirs.token, as: acme.token) == "valid")
            #expect(try await mortise.verdict(mine.token, as: acme.token) == "not_found")
            let foreign = try await mortise.verify(theirs.token)
            #expect(foreign.code == "not_found")
            for token in [gone.token, acme.token, mortise.adminToken, mortise.operatorToken] {
                let answer = try await mortise.verify(token)
                #expect(answer.json == foreign.json, "\(answer)")
            }
            #expect(try await mortise.verdict("") == "malformed")
            #expect(try await mortise.verdict(String(mine.token.dropLast())) == "malformed")
        }
    }

    @Test func `a batch returns its verdicts in the order of its requests`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey("one", ["scopes": ["a:b"]])
            let other = try await mortise.makeKey("two")
            _ = try await mortise.api.post("\(other.path)/revoke", as: mortise.adminToken)
            var requests: [JSONValue] = []
            var expected: [String] = []
            for index in 0..<25 {
                requests += [["token": .string(key.token)], ["token": .string(other.token)], ["token": "x"]]
                requests.append(["token": .string(key.token), "scopes": [.string("a:\(index)")]])
                expected += ["valid", "revoked", "malformed", "insufficient_scope"]
            }
            let answer = try await mortise.api.post(
                "/v1/verify/batch",
                ["requests": .array(requests)],
                as: mortise.adminToken
            )
            #expect(answer["verdicts"]?.array?.compactMap { $0["code"]?.string } == expected)
        }
    }

    @Test func `a suspended workspace's keys are refused until it is resumed`() async throws {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let key = try await mortise.makeKey()
            #expect(try await api.post("/v1/workspaces/default/suspend", as: admin).string("state") == "suspended")
            #expect(try await mortise.verdict(key.token) == "workspace_unavailable")
            #expect(try await api.post(ServerHarness.keys(), ["name": "x"], as: admin).status == 409)
            #expect(try await api.post("/v1/workspaces/default/resume", as: admin).string("state") == "active")
            #expect(try await mortise.verdict(key.token) == "valid")
        }
    }

    @Test func `a verification updates the time of last use when the counts are written`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey()
            #expect(try await mortise.api.get(key.path, as: mortise.adminToken)["last_used_at"] == .null)
            #expect(try await mortise.verdict(key.token) == "valid")
            await mortise.server.platform.usage.flush()
            let used = try await mortise.api.get(key.path, as: mortise.adminToken)
            #expect(used["last_used_at"]?.string != nil)
            #expect(used["secrets"]?.array?.first?["last_used_at"]?.string != nil)
        }
    }
}
