import JSON
import Server
import ServerTestSupport
import TestSupport
import Testing
import Verification

/// Admin and operator keys have rate limits and a time of last use, as other keys have.
@Suite(.hangLimit) struct CredentialLimitTests {
    // The attack: somebody sends requests with a stolen admin key as fast as possible.
    @Test func `an admin key over its limit is refused on every call and is told when to retry`() async throws {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let path = "/v1/organizations/default/admin-keys"
            let made = try await api.post(
                path,
                ["name": "slow", "permissions": ["keys:read", "keys:verify"], "rate_limit_per_hour": 2],
                as: admin
            )
            let slow = try made.string("token")
            #expect(try await api.get(ServerHarness.keys(), as: slow).status == 200)
            #expect(try await mortise.verdict("nonsense", as: slow) == "malformed")
            for _ in 0..<2 {
                for answer in [
                    try await api.get(ServerHarness.keys(), as: slow), try await api.get("/v1/workspaces", as: slow),
                    try await mortise.verify("nonsense", as: slow),
                    try await api.post("/v1/organizations/default/workspaces", ["name": "x"], as: slow),
                ] {
                    #expect(answer.status == 429, "\(answer)")
                    #expect(answer.code == "rate_limited")
                    // A limit of two uses an hour allows the next use after half an hour at most.
                    let seconds = try #require(answer.headers["retry-after"].flatMap { Int($0) })
                    #expect((1...1800).contains(seconds))
                    #expect(answer.headers["ratelimit"] == "\"hour\";r=0;t=\(seconds)")
                    #expect(answer.headers["ratelimit-policy"] == "\"hour\";q=2;w=3600")
                }
            }
            // Another key is not affected. The key works again after its limit is removed.
            #expect(try await api.get(ServerHarness.keys(), as: admin).status == 200)
            let key = "\(path)/\(try made.string("key", "id"))"
            #expect(try await api.send("PATCH", key, ["rate_limit_per_hour": nil], as: admin).status == 200)
            #expect(try await api.get(ServerHarness.keys(), as: slow).status == 200)
        }
    }

    @Test func `an operator key has rate limits`() async throws {
        try await withMortise { mortise in
            let (api, token) = (mortise.api, mortise.operatorToken)
            let made = try await api.post("/v1/operator-keys", ["name": "slow", "rate_limit_per_minute": 1], as: token)
            let slow = try made.string("token")
            #expect(try await api.get("/v1/organizations", as: slow).status == 200)
            let refused = try await api.get("/v1/organizations", as: slow)
            #expect(refused.status == 429)
            #expect(refused.headers["ratelimit-policy"] == "\"minute\";q=1;w=60")
            // A revoked key gets 401, not 429.
            let key = "/v1/operator-keys/\(try made.string("key", "id"))"
            #expect(try await api.post("\(key)/revoke", as: token).status == 200)
            #expect(try await api.get("/v1/organizations", as: slow).status == 401)
        }
    }

    @Test func `the time of last use of admin and operator keys is recorded`() async throws {
        try await withMortise(configure: { $0.usage.interval = .milliseconds(50) }) { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let used = try await mortise.makeAdmin(["keys:read"])
            let unused = try await mortise.makeAdmin(["keys:write"])
            #expect(try await api.get(ServerHarness.keys(), as: used.token).status == 200)
            try await eventually("the use is written") {
                try await api.get(used.path, as: admin)["last_used_at"]?.string != nil
            }
            #expect(try await api.get(unused.path, as: admin)["last_used_at"] == .null)
            let operators = try await api.get("/v1/operator-keys", as: mortise.operatorToken)
            try await eventually("the operator's is") {
                let key = operators["data"]?.array?.first?["id"]?.string ?? ""
                return try await api.get("/v1/operator-keys/\(key)", as: mortise.operatorToken)["last_used_at"]?.string
                    != nil
            }
            // A refused request is not a use of its credential.
            #expect(try await api.post("\(unused.path)/disable", as: admin).status == 200)
            #expect(try await api.get(ServerHarness.keys(), as: unused.token).status == 401)
            #expect(try await api.get(unused.path, as: admin)["last_used_at"] == .null)
        }
    }
}
