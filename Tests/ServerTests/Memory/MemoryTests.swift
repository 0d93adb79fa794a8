import FoundationEssentials
import JSON
import Keys
import Postgres
import Server
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing
import Verification

/// Verifications that are answered from memory.
@Suite(.hangLimit) struct MemoryTests {
    /// The look-ups that the server has sent to the control database and to the default workspace's.
    private func lookUps(_ mortise: ServerHarness) async throws -> Int {
        let databases = mortise.server.platform.databases
        let answer = try await mortise.api.get("/v1/workspaces/default", as: mortise.adminToken)
        let id = try #require(UUIDv7.parse(try answer.string("id")))
        let facts = try #require(try await databases.facts(id: id))
        let workspace = try await databases.withLookups(facts) { $0.statistics.lookUps }
        return workspace + databases.control.lookups.statistics.lookUps
    }

    @Test func `a key that was verified is verified again without a read, and so is the credential of the caller`()
        async throws
    {
        try await withMortise { mortise in
            let key = try await mortise.makeKey()
            #expect(try await mortise.verdict(key.token) == "valid")
            _ = try await lookUps(mortise)
            let before = try await lookUps(mortise)
            for _ in 0..<5 { #expect(try await mortise.verdict(key.token) == "valid") }
            #expect(try await lookUps(mortise) == before)
        }
    }

    // Attack: somebody revokes a key by hand, in SQL, which no fence covers.
    @Test func `a key in memory is read again when its entry has the maximum age`() async throws {
        try await withMortise(configure: { $0.maximumKeyAge = .zero }) { mortise in
            let key = try await mortise.makeKey()
            #expect(try await mortise.verdict(key.token) == "valid")
            let before = try await lookUps(mortise)
            #expect(try await mortise.verdict(key.token) == "valid")
            #expect(try await lookUps(mortise) > before)
        }
    }

    // Attack: a key is used on another node until its entry there has become old.
    @Test func `what changes a key on one node counts on every node as soon as the change has returned`() async throws {
        try await withInstallation { installation in
            try await withMortise(of: installation) { first in
                let admin = first.adminToken
                try await withMortise(of: installation) { second in
                    func expect(_ code: String, _ token: String, _ what: String) async throws {
                        for mortise in [second, first] {
                            let answer = try await mortise.api.post("/v1/verify", ["token": .string(token)], as: admin)
                            #expect(answer["code"]?.string == code, "\(what): \(answer)")
                        }
                    }
                    for round in 0..<5 {
                        let key = try await first.makeKey("a \(round)")
                        try await expect("valid", key.token, "a new key")
                        let changes: [(String, JSONValue, String)] = [
                            ("disable", [:], "disabled"), ("enable", [:], "valid"), ("revoke", [:], "revoked"),
                        ]
                        for (change, body, code) in changes {
                            let answer = try await first.api.post("\(key.path)/\(change)", body, as: admin)
                            #expect(answer.status == 200, "\(answer)")
                            try await expect(code, key.token, change)
                        }
                        let rotated = try await first.makeKey("b \(round)")
                        try await expect("valid", rotated.token, "a key before its rotation")
                        let answer = try await first.api.post(
                            "\(rotated.path)/rotate",
                            ["grace_period_seconds": 0],
                            as: admin
                        )
                        #expect(answer.status == 200, "\(answer)")
                        try await expect("expired", rotated.token, "rotate without grace")
                        let deleted = try await first.makeKey("c \(round)")
                        try await expect("valid", deleted.token, "a key before its deletion")
                        #expect(try await first.api.send("DELETE", deleted.path, nil, as: admin).status == 204)
                        try await expect("not_found", deleted.token, "delete")
                    }
                }
            }
        }
    }

    // Attack: one key of several is used on another node until its entry there has become old.
    @Test func `each of several keys is refused on every node as soon as their common change has returned`()
        async throws
    {
        try await withInstallation { installation in
            try await withMortise(of: installation) { first in
                let admin = first.adminToken
                try await withMortise(of: installation) { second in
                    for change in ["disable", "revoke"] {
                        var keys: [ServerHarness.IssuedKey] = []
                        for number in 0..<20 { keys.append(try await first.makeKey("\(change) \(number)")) }
                        for code in ["valid", "\(change)d"] {
                            if code != "valid" {
                                let ids = keys.map { JSONValue.string($0.id) }
                                let path = "\(ServerHarness.keys())/batch/\(change)"
                                let answer = try await first.api.post(path, ["ids": .array(ids)], as: admin)
                                #expect(answer.status == 200, "\(answer)")
                            }
                            for key in keys {
                                for mortise in [second, first] {
                                    let answer = try await mortise.api
                                        .post("/v1/verify", ["token": .string(key.token)], as: admin)
                                    #expect(answer["code"]?.string == code, "\(answer)")
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    // Attack: the state of a workspace is in every entry of its keys.
    @Test func `a suspended workspace's keys are refused on every node as soon as the suspension has returned`()
        async throws
    {
        try await withInstallation { installation in
            try await withMortise(of: installation) { first in
                try await withMortise(of: installation) { second in
                    let key = try await first.makeKey()
                    for _ in 0..<3 {
                        for mortise in [first, second] {
                            let answer = try await mortise.api
                                .post("/v1/verify", ["token": .string(key.token)], as: first.adminToken)
                            #expect(answer["code"]?.string == "valid")
                        }
                        let path = "/v1/workspaces/default"
                        #expect(try await first.api.post("\(path)/suspend", as: first.adminToken).status == 200)
                        for mortise in [second, first] {
                            let answer = try await mortise.api
                                .post("/v1/verify", ["token": .string(key.token)], as: first.adminToken)
                            #expect(answer["code"]?.string == "workspace_unavailable")
                        }
                        #expect(try await second.api.post("\(path)/resume", as: first.adminToken).status == 200)
                    }
                }
            }
        }
    }

    // Attack: an admin key that was revoked goes on to authenticate on a node that has it in memory.
    @Test func `a revoked admin key authenticates on no node as soon as the revocation has returned`() async throws {
        try await withInstallation { installation in
            try await withMortise(of: installation) { first in
                try await withMortise(of: installation) { second in
                    for _ in 0..<5 {
                        let admin = try await first.makeAdmin(["keys:read"])
                        for mortise in [first, second] {
                            #expect(try await mortise.api.get("/v1/me", as: admin.token).status == 200)
                        }
                        #expect(
                            try await first.api.post("\(admin.path)/revoke", [:], as: first.adminToken).status == 200
                        )
                        for mortise in [second, first] {
                            #expect(try await mortise.api.get("/v1/me", as: admin.token).status == 401)
                        }
                    }
                }
            }
        }
    }

    @Test func `the end of a key in memory is enforced to the second`() async throws {
        try await withMortise { mortise in
            // On a busy machine the key can end before it is created or verified.
            for seconds in [3, 30, 300] {
                let end = try await mortise.databaseTime() + .seconds(seconds)
                let made = try await mortise.api.post(
                    ServerHarness.keys(),
                    ["name": .string("ends in \(seconds) s"), "expires_at": .string(end.rfc3339)],
                    as: mortise.adminToken
                )
                guard made.status == 201 else { continue }
                let token = try made.string("token")
                guard try await mortise.verdict(token) == "valid" else { continue }
                try await eventually("the key has ended", within: .ample) {
                    try await mortise.verdict(token) == "expired"
                }
                return
            }
            Issue.record("no key was valid before its end")
        }
    }
}
