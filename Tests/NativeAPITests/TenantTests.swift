import JSON
import Postgres
import ServerTestSupport
import Tenancy
import TestSupport
import Testing

/// Organizations and workspaces over HTTP.
@Suite(.hangLimit) struct TenantTests {
    @Test func `a new organization has an active workspace and an admin key that works at once`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let made = try await api.post(
                "/v1/organizations",
                ["name": "Acme Inc.", "token_prefix": "acme"],
                as: mortise.operatorToken
            )
            #expect(made.status == 201)
            #expect(made["organization", "slug"] == "acme-inc")
            #expect(made["organization", "default_workspace_id"] == made["default_workspace", "id"])
            #expect(made["default_workspace", "state"] == "active")
            #expect(made["admin_key", "type"] == "admin")
            let token = try made.string("token")
            let key = try await mortise.makeKey("k", in: try made.string("default_workspace", "id"), as: token)
            #expect(key.token.hasPrefix("acme_live_"))
            #expect(try await mortise.verdict(key.token, as: token) == "valid")
            #expect(try await mortise.verdict(key.token) == "not_found")

            let again = try await api.post(
                "/v1/organizations",
                ["name": "x", "slug": "acme-inc"],
                as: mortise.operatorToken
            )
            #expect(again.status == 409)
            let all = try await api.get("/v1/organizations", as: mortise.operatorToken)
            #expect(all["data"]?.array?.compactMap { $0["slug"]?.string } == ["acme-inc", "default"])
            let own = try await api.get("/v1/organizations", as: token)
            #expect(own["data"]?.array?.compactMap { $0["slug"]?.string } == ["acme-inc"])
        }
    }

    @Test func `an operator can rename an organization, and the organization's keys keep working`() async throws {
        try await withMortise { mortise in
            let (api, operatorToken) = (mortise.api, mortise.operatorToken)
            let acme = try await mortise.makeOrganization("Acme")
            let path = "/v1/organizations/\(acme.id)"
            let changed = try await api.send(
                "PATCH",
                "/v1/organizations/acme",
                ["name": "Acme & Sons", "slug": "sons", "token_prefix": "sons"],
                as: operatorToken
            )
            #expect(changed.status == 200, "\(changed)")
            #expect(changed["name"] == "Acme & Sons" && changed["slug"] == "sons" && changed["token_prefix"] == "sons")
            #expect(try await api.get("/v1/organizations/acme", as: operatorToken).status == 404)
            #expect(try await api.get("/v1/organizations/sons", as: acme.token)["name"] == "Acme & Sons")
            let events = try await api.get("\(path)/events?type=organization.updated", as: acme.token)
            let event = try #require(events["data"]?.array?.first)
            let slug = event["changes"]?["slug"]
            #expect(slug?["from"] == "acme" && slug?["to"] == "sons", "\(event)")
            // An empty change is allowed, and so is a change to the current slug.
            #expect(try await api.send("PATCH", path, [:], as: operatorToken).status == 200)
            #expect(try await api.send("PATCH", path, ["slug": "sons"], as: operatorToken).status == 200)
            let cleared = try await api.send("PATCH", path, ["token_prefix": nil], as: operatorToken)
            #expect(cleared["token_prefix"] == .null && cleared["name"] == "Acme & Sons")
            #expect(try await api.send("PATCH", path, ["slug": "default"], as: operatorToken).status == 409)
            for wrong: JSONValue in [
                ["name": ""], ["name": nil], ["slug": "A B"], ["token_prefix": "toolong"], ["token_prefix": "1a"],
            ] {
                let refused = try await api.send("PATCH", path, wrong, as: operatorToken)
                #expect(refused.status == 400, "\(wrong): \(refused)")
            }
            #expect(try await api.send("PATCH", path, ["name": "Mine"], as: acme.token).status == 403)
            #expect(try await api.get("/v1/organizations/sons", as: acme.token)["name"] == "Acme & Sons")
        }
    }

    // The fault: customers leave, and nothing removes their organization, their keys and their people.
    @Test func `an operator can delete an organization, and nothing of it works any more`() async throws {
        try await withMortise { mortise in
            let (api, operatorToken) = (mortise.api, mortise.operatorToken)
            let acme = try await mortise.makeOrganization("Acme")
            let path = "/v1/organizations/acme"
            let workspace = acme.workspaceID
            let key = try await mortise.makeKey("k", in: workspace, as: acme.token)
            let second = try await mortise.makeAdmin(["keys:read"], organization: "acme", as: acme.token)
            let session = try await mortise.session("ann@acme.example", "admin", organization: "acme", as: acme.token)
            let further = try await api.post("\(path)/workspaces", ["name": "Shop"], as: acme.token).string("id")

            // The attack: an admin key ends its own organization, or somebody else's.
            #expect(try await api.send("DELETE", path, as: acme.token).status == 403)
            #expect(try await api.send("DELETE", path, as: mortise.adminToken).status == 403)
            // No single call destroys keys in use.
            #expect(try await api.send("DELETE", path, as: operatorToken).status == 409)
            #expect(try await api.post("/v1/workspaces/\(further)/archive", as: acme.token).status == 200)
            #expect(try await api.send("DELETE", "/v1/workspaces/\(further)", as: acme.token).status == 204)
            #expect(try await api.send("DELETE", path, as: operatorToken).status == 409)
            #expect(try await mortise.verdict(key.token, as: acme.token) == "valid")
            #expect(try await api.post("/v1/workspaces/\(workspace)/suspend", as: operatorToken).status == 200)
            #expect(try await api.send("DELETE", path, as: operatorToken).status == 204)

            #expect(try await api.send("DELETE", path, as: operatorToken).status == 404)
            for token in [acme.token, second.token, session] {
                #expect(try await api.get("/v1/workspaces", as: token).status == 401)
            }
            #expect(try await mortise.trySignIn("ann@acme.example").status == 401)
            #expect(try await mortise.verdict(key.token) == "not_found")
            let databases = try await mortise.rows(
                mortise.installation.server.configuration(),
                "SELECT count(*) FROM pg_database WHERE datname LIKE '\(mortise.installation.installation.prefix)%w%'"
            )
            #expect(try databases.first?.decode(0, as: Int.self) == 1)
            // The name is free again, and the history stays.
            let events = try await mortise.rows(
                mortise.installation.control,
                "SELECT count(*) FROM auth.key_events WHERE organization_id = '\(acme.id)' AND type = 'organization.deleted'"
            )
            #expect(try events.first?.decode(0, as: Int.self) == 1)
            #expect(try await mortise.makeOrganization("Acme").id != acme.id)
        }
    }

    // The fault: a key that is created while its organization is deleted would belong to nobody, and nothing would list it.
    @Test func `no admin key outlives its organization`() async throws {
        try await withMortise { mortise in
            let (api, operatorToken) = (mortise.api, mortise.operatorToken)
            let acme = try await mortise.makeOrganization("Acme")
            #expect(try await api.post("/v1/workspaces/\(acme.workspaceID)/suspend", as: operatorToken).status == 200)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        let answer = try await api.post(
                            "/v1/organizations/\(acme.id)/admin-keys",
                            ["name": .string("k\(number)"), "permissions": ["keys:read"]],
                            as: number.isMultiple(of: 2) ? acme.token : operatorToken
                        )
                        #expect([201, 401, 404].contains(answer.status), "\(answer)")
                    }
                }
                group.addTask {
                    // A key that was created in the meantime can be in the way once or twice.
                    for _ in 0..<9 {
                        let answer = try await api.send("DELETE", "/v1/organizations/\(acme.id)", as: operatorToken)
                        if answer.status == 204 { return }
                        #expect(answer.status == 409, "\(answer)")
                    }
                    Issue.record("the organization was not deleted")
                }
                try await group.waitForAll()
            }
            let left = try await mortise.rows(
                mortise.installation.control,
                "SELECT count(*) FROM auth.service_keys WHERE organization_id = '\(acme.id)'"
            )
            #expect(try left.first?.decode(0, as: Int.self) == 0)
        }
    }

    @Test func `a workspace can be created, renamed, suspended, archived and deleted`() async throws {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let made = try await api.post("/v1/organizations/default/workspaces", ["name": "Shop"], as: admin)
            #expect(made.status == 201)
            #expect(made["state"] == "active")
            let id = try made.string("id")
            #expect(try await api.get("/v1/workspaces/shop", as: admin).string("id") == id)
            let key = try await mortise.makeKey("k", in: "shop")
            let patched = try await api.send("PATCH", "/v1/workspaces/shop", ["name": nil, "slug": "store"], as: admin)
            #expect(patched["name"] == .null)
            #expect(patched["slug"] == "store")
            #expect(try await api.get("/v1/workspaces/shop", as: admin).status == 404)
            #expect(try await api.send("PATCH", "/v1/workspaces/store", ["slug": "default"], as: admin).status == 409)
            #expect(try await api.send("DELETE", "/v1/workspaces/store", as: admin).status == 409)
            #expect(try await api.post("/v1/workspaces/store/suspend", as: admin)["state"] == "suspended")
            #expect(try await api.post("/v1/workspaces/store/suspend", as: admin)["state"] == "suspended")
            #expect(try await api.get("/v1/workspaces?state=suspended", as: admin)["data"]?.array?.count == 1)
            let archived = try await api.post("/v1/workspaces/store/archive", as: admin)
            #expect(archived["state"] == "archived")
            #expect(archived["archived_at"]?.string != nil)
            #expect(try await mortise.verdict(key.token) == "workspace_unavailable")
            #expect(try await api.get(ServerHarness.keys("store"), as: admin)["data"]?.array?.count == 1)
            #expect(try await api.post("/v1/workspaces/store/resume", as: admin).status == 409)
            let restored = try await api.post("/v1/workspaces/store/restore", as: admin)
            #expect(restored["state"] == "suspended" && restored["archived_at"] == .null)
            #expect(try await api.post("/v1/workspaces/store/resume", as: admin)["state"] == "active")
            #expect(try await mortise.verdict(key.token) == "valid")
            #expect(try await api.post("/v1/workspaces/store/archive", as: admin)["state"] == "archived")
            #expect(try await mortise.verdict(key.token) == "workspace_unavailable")
            #expect(try await api.send("DELETE", "/v1/workspaces/store", as: admin).status == 204)
            #expect(try await api.get("/v1/workspaces/\(id)", as: admin).status == 404)
            #expect(try await mortise.verdict(key.token) == "not_found")
        }
    }

    @Test func `the default workspace can be neither archived nor deleted`() async throws {
        try await withMortise { mortise in
            let archive = try await mortise.api.post("/v1/workspaces/default/archive", as: mortise.adminToken)
            #expect(archive.status == 409)
            #expect(archive.code == "conflict")
            #expect(
                try await mortise.api.send("DELETE", "/v1/workspaces/default", as: mortise.adminToken).status == 409
            )
            #expect(try await mortise.api.get("/v1/workspaces/default", as: mortise.adminToken)["state"] == "active")
        }
    }

    @Test func `an operator can create workspaces and admin keys but cannot read keys of a workspace`() async throws {
        try await withMortise { mortise in
            let (api, token) = (mortise.api, mortise.operatorToken)
            let made = try await api.post("/v1/organizations/default/workspaces", ["name": "By operator"], as: token)
            #expect(made.status == 201)
            let id = try made.string("id")
            #expect(try await api.post("/v1/workspaces/\(id)/suspend", as: token)["state"] == "suspended")
            #expect(try await api.get(ServerHarness.keys(id), as: token).status == 403)
            let admin = try await mortise.makeAdmin(["keys:read"], as: token)
            #expect(try await api.get(ServerHarness.keys(id), as: admin.token).status == 200)
            // A slug belongs to an organization, and an operator has none.
            #expect(try await api.get("/v1/workspaces/by-operator", as: token).status == 404)
        }
    }

    @Test func `operator keys can be created, listed and revoked`() async throws {
        try await withMortise { mortise in
            let (api, token) = (mortise.api, mortise.operatorToken)
            let made = try await api.post("/v1/operator-keys", ["name": "second"], as: token)
            #expect(made.status == 201)
            #expect(made["key", "permissions"] == ["platform:*"])
            let second = try made.string("token")
            #expect(second.hasPrefix("mko_live_"))
            #expect(try await api.get("/v1/operator-keys", as: second)["data"]?.array?.count == 2)
            let path = "/v1/operator-keys/\(try made.string("key", "id"))"
            #expect(try await api.post("\(path)/revoke", as: token).status == 200)
            #expect(try await api.get("/v1/operator-keys", as: second).status == 401)
            #expect(try await api.get("\(path)/events", as: token)["data"]?.array?.count == 2)
            // The path of operator keys does not find an admin key.
            let admin = try await mortise.makeAdmin([])
            #expect(try await api.get("/v1/operator-keys/\(admin.id)", as: token).status == 404)
            #expect(try await api.get("/v1/operator-keys/\(admin.id)/events", as: token).status == 404)
        }
    }
}
