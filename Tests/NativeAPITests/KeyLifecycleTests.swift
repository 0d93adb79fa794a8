import JSON
import Postgres
import ServerTestSupport
import TestSupport
import Testing

/// The lifecycle of a key over HTTP, from creation to deletion.
@Suite(.hangLimit) struct KeyLifecycleTests {
    // A script rotates a key every minute for years.
    @Test func `a key keeps its last 20 ended secrets`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey("rotated often")
            var tokens = [key.token]
            for _ in 0..<24 {
                let body: JSONValue = ["grace_period_seconds": 0]
                let rotated = try await mortise.api.post("\(key.path)/rotate", body, as: mortise.adminToken)
                tokens.append(try rotated.string("token"))
            }
            let rows = try await mortise.rows(
                try await mortise.workspaceDatabase(),
                "SELECT count(*) FROM auth.key_secrets"
            )
            #expect(try rows.first?.decode(0, as: Int.self) == 21)
            #expect(try await mortise.verdict(tokens[24]) == "valid")
            #expect(try await mortise.verdict(tokens[4]) == "expired")
            #expect(try await mortise.verdict(tokens[3]) == "not_found")
        }
    }

    @Test func `a key can be rotated, revoked and deleted, and its events remain`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let admin = mortise.adminToken
            let key = try await mortise.makeKey("billing", ["scopes": ["read:invoices"], "metadata": ["team": "a"]])
            #expect(try await mortise.verdict(key.token) == "valid")

            let rotated = try await api.post("\(key.path)/rotate", ["grace_period_seconds": 3600], as: admin)
            #expect(rotated.status == 200)
            #expect(try rotated.string("key", "id") == key.id)
            let second = try rotated.string("token")
            #expect(rotated["key", "secrets"]?.array?.count == 2)
            #expect(try await mortise.verdict(key.token) == "valid")
            #expect(try await mortise.verdict(second) == "valid")

            // The grace period of the old secret is over. The test moves its end, because the clock of the database
            // decides.
            try await mortise.inWorkspace("UPDATE auth.key_secrets SET ends_at = now() WHERE ends_at IS NOT NULL")
            #expect(try await mortise.verdict(key.token) == "expired")
            #expect(try await mortise.verdict(second) == "valid")

            let revoked = try await api.post("\(key.path)/revoke", ["reason": "leaked"], as: admin)
            #expect(try revoked.string("status") == "revoked")
            #expect(try revoked.string("revocation_reason") == "leaked")
            #expect(try await mortise.verdict(second) == "revoked")
            #expect(try await mortise.verdict(key.token) == "revoked")
            let again = try await api.post("\(key.path)/revoke", ["reason": "other"], as: admin)
            #expect(again.status == 200)
            #expect(again.json == revoked.json)

            #expect(try await api.send("DELETE", key.path, as: admin).status == 204)
            #expect(try await api.get(key.path, as: admin).status == 404)
            #expect(try await mortise.verdict(second) == "not_found")

            let events = try await api.get("\(key.path)/events", as: admin)
            let types = events["data"]?.array?.compactMap { $0["type"]?.string }
            #expect(types == ["deleted", "revoked", "rotated", "created"])
            #expect(events["data"]?.array?.allSatisfy { $0["address"]?.string == "127.0.0.1" } == true)
        }
    }

    @Test func `the next verification sees each change of a key's state`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let admin = mortise.adminToken
            let key = try await mortise.makeKey("switch")
            #expect(try await api.post("\(key.path)/disable", as: admin).string("status") == "disabled")
            #expect(try await mortise.verdict(key.token) == "disabled")
            #expect(try await api.post("\(key.path)/enable", as: admin).string("status") == "active")
            #expect(try await mortise.verdict(key.token) == "valid")
            let deprecated = try await api.post("\(key.path)/deprecate", ["reason": "old"], as: admin)
            #expect(try deprecated.string("status") == "deprecated")
            #expect(try deprecated.string("deprecation_reason") == "old")
            #expect(deprecated["grace_period_ends_at"]?.string != nil)
            #expect(try await mortise.verdict(key.token) == "valid")
            let ended = try await api.post("\(key.path)/deprecate", ["grace_period_seconds": 0], as: admin)
            #expect(try ended.string("status") == "expired")
            #expect(try await mortise.verdict(key.token) == "expired")
            let rotation = try await api.post("\(key.path)/rotate", as: admin)
            #expect(rotation.status == 409)
            #expect(rotation.code == "conflict")
        }
    }

    @Test func `a rotation without a grace period ends the old token before it returns`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey()
            let rotated = try await mortise.api.post(
                "\(key.path)/rotate",
                ["grace_period_seconds": 0],
                as: mortise.adminToken
            )
            #expect(try await mortise.verdict(key.token) == "expired")
            #expect(try await mortise.verdict(try rotated.string("token")) == "valid")
            #expect(rotated["key", "secrets"]?.array?.count == 1)
        }
    }

    @Test func `a second rotation ends the oldest token and leaves two`() async throws {
        try await withMortise { mortise in
            let admin = mortise.adminToken
            let key = try await mortise.makeKey()
            let second = try await mortise.api.post("\(key.path)/rotate", as: admin).string("token")
            let third = try await mortise.api.post("\(key.path)/rotate", as: admin).string("token")
            #expect(try await mortise.verdict(key.token) == "expired")
            #expect(try await mortise.verdict(second) == "valid")
            #expect(try await mortise.verdict(third) == "valid")
            #expect(try await mortise.api.get(key.path, as: admin)["secrets"]?.array?.count == 2)
        }
    }

    @Test func `a revoked key can be neither changed nor rotated nor enabled`() async throws {
        try await withMortise { mortise in
            let admin = mortise.adminToken
            let key = try await mortise.makeKey()
            _ = try await mortise.api.post("\(key.path)/revoke", as: admin)
            for call in ["rotate", "disable", "enable", "deprecate"] {
                let answer = try await mortise.api.post("\(key.path)/\(call)", as: admin)
                #expect(answer.status == 409, "\(call): \(answer)")
            }
            let patch = try await mortise.api.send("PATCH", key.path, ["name": "new"], as: admin)
            #expect(patch.status == 409)
        }
    }

    // A program that collects events of several organizations could not tell whose they are.
    @Test func `the events of a workspace's keys name the organization, and those of operator keys name none`()
        async throws
    {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let organization = try await api.get("/v1/organizations/default", as: admin).string("id")
            let workspace = try await api.get("/v1/workspaces/default", as: admin).string("id")
            let kept = try await mortise.makeKey("kept")
            let deleted = try await mortise.makeKey("deleted")
            let client = try await mortise.makeClientKey("client")
            #expect(try await api.send("DELETE", deleted.path, as: admin).status == 204)
            let lists = [
                "/v1/workspaces/default/events", "\(kept.path)/events", "\(deleted.path)/events",
                "\(client.path)/events",
            ]
            for list in lists {
                let events = try await api.get(list, as: admin)["data"]?.array ?? []
                #expect(!events.isEmpty, "\(list)")
                for event in events {
                    #expect(event["organization_id"]?.string == organization, "\(list): \(event)")
                    #expect(event["workspace_id"]?.string == workspace, "\(list): \(event)")
                }
            }
            let made = try await api.post("/v1/operator-keys", ["name": "on call"], as: mortise.operatorToken)
            let path = "/v1/operator-keys/\(try made.string("key", "id"))/events"
            let events = try await api.get(path, as: mortise.operatorToken)["data"]?.array ?? []
            #expect(events.compactMap { $0["organization_id"] } == [.null], "\(events)")
        }
    }
}
