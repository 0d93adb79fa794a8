import FoundationEssentials
import JSON
import ServerTestSupport
import TestSupport
import Testing

/// Tenants: the SDK's `tenant` client and the tenant header.
@Suite(.hangLimit) struct FluxbaseTenantTests {
    private static let path = "/admin/tenants"

    /// Returns the tenant in the client's access token.
    private static func tenant(of client: FluxbaseClient) throws -> JSONValue? {
        let token = try #require(client.accessToken)
        let part = token.split(separator: ".")[1]
        var payload = String(part).replacing("-", with: "+").replacing("_", with: "/")
        payload += String(repeating: "=", count: (4 - payload.count % 4) % 4)
        return try JSONValue(parsing: try #require(Data(base64Encoded: payload)))["tenant_id"]
    }

    @Test func `an access token names the tenant for requests without a tenant header`() async throws {
        try await withMortise { mortise in
            let older = try await mortise.makeWorkspace("Older")
            let newer = try await mortise.makeWorkspace("Newer")
            // The order in which a user joined tenants does not matter.
            let user = try await mortise.makeUser("user@example.com", role: "admin", workspace: newer)
            var expected = newer
            for joined in [nil, older, try await mortise.defaultWorkspaceID()] {
                if let joined {
                    let role: JSONValue = [
                        "email": .string(user.email), "role": "admin", "workspace_id": .string(joined),
                    ]
                    let added = try await mortise.api.post(
                        "/v1/organizations/default/members",
                        role,
                        as: mortise.operatorToken
                    )
                    #expect(added.status == 201, "\(added)")
                    expected = joined
                }
                let client = try await mortise.fluxbase(signedInAs: user.email)
                #expect(try Self.tenant(of: client) == .string(expected))
                let made = try await client.post("/client-keys", ["name": "k", "scopes": ["*"]]).string("id")
                let path = "/v1/workspaces/\(expected)/client-keys/\(made)"
                #expect(try await mortise.api.get(path, as: mortise.adminToken).status == 200)
            }
        }
    }

    @Test func `an archived tenant is not the default tenant of a session`() async throws {
        try await withMortise { mortise in
            let (older, newer) = (try await mortise.makeWorkspace("Older"), try await mortise.makeWorkspace("Newer"))
            let user = try await mortise.makeUser("user@example.com", role: "admin", workspace: older)
            let role: JSONValue = ["email": .string(user.email), "role": "admin", "workspace_id": .string(newer)]
            let added = try await mortise.api.post(
                "/v1/organizations/default/members",
                role,
                as: mortise.adminToken
            )
            #expect(added.status == 201, "\(added)")
            let before = try await mortise.fluxbase(signedInAs: user.email)
            #expect(try Self.tenant(of: before) == .string(older))
            #expect(try await mortise.api.post("/v1/workspaces/\(older)/archive", as: mortise.adminToken).status == 200)
            let after = try await mortise.fluxbase(signedInAs: user.email)
            #expect(try Self.tenant(of: after) == .string(newer))
            for client in [before, after] {
                #expect(try await client.post("/client-keys", ["name": "k", "scopes": ["*"]]).status == 201)
                #expect(try await client.get("/admin/tenants").json.array?.count == 1)
            }
        }
    }

    @Test func `tenants can be listed, created, renamed and deleted`() async throws {
        try await withMortise { mortise in
            let owner = try await mortise.makeUser("owner@example.com", role: "owner")
            let client = try await mortise.fluxbase(signedInAs: owner.email)
            let list = try await client.get(Self.path)
            #expect(list.json.array?.map { $0["slug"] } == ["default"])
            #expect(list.json.array?.first?["is_default"] == true)

            let made = try await client.post(
                Self.path,
                ["slug": "acme-corp", "name": "Acme Corporation", "metadata": ["plan": "pro"]]
            )
            #expect(made.status == 201, "\(made)")
            // The answer has the form of the SDK's types and the form of the original server at once.
            #expect(made["slug"] == "acme-corp")
            #expect(made["tenant", "id"] == made["id"])
            #expect(made["status"] == "active")
            let id = try made.string("id")
            let mine = try await client.get("\(Self.path)/mine")
            #expect(mine.json.array?.count == 2)
            #expect(mine.json.array?.allSatisfy { $0["my_role"] == "tenant_admin" } == true)
            #expect(try await client.get("\(Self.path)/\(id)").string("name") == "Acme Corporation")
            #expect(try await client.send("PATCH", "\(Self.path)/\(id)", ["name": "Acme"]).string("name") == "Acme")
            #expect(try await client.send("PATCH", "\(Self.path)/\(id)", [:]).string("name") == "Acme")

            let noted = try await client.send(
                "PATCH",
                "\(Self.path)/\(id)",
                ["metadata": ["plan": "free", "seats": 3]]
            )
            #expect(made["metadata"] == ["plan": "pro"])
            #expect(noted["metadata"] == ["plan": "free", "seats": 3])

            let taken = try await client.post(Self.path, ["slug": "acme-corp", "name": "Again"])
            #expect(taken.status == 409)
            #expect(taken.code == "ALREADY_EXISTS")
            let bad = try await client.post(Self.path, ["slug": "Not A Slug", "name": "x"])
            #expect(bad.status == 400)
            let missing = try await client.post(Self.path, [:])
            #expect(missing.error == "Name and slug are required")

            var scoped = client
            scoped.tenant = id
            let key = try await scoped.post("/admin/service-keys", ["name": "k"]).string("key")
            #expect(try await client.send("DELETE", "\(Self.path)/\(id)").status == 204)
            #expect(try await mortise.verdict(key) != "valid")
            #expect(try await client.get("\(Self.path)/\(id)").status == 404)
            #expect(try await scoped.get("/admin/service-keys").status == 404)
            #expect(try await client.get(Self.path).json.array?.count == 1)
            #expect(try await client.send("DELETE", "\(Self.path)/\(id)").status == 404)
            #expect(try await client.send("DELETE", "\(Self.path)/\(id)?hard=true").status == 204)
            #expect(try await mortise.api.get("/v1/workspaces/\(id)", as: mortise.adminToken).status == 404)

            let fallback = try await mortise.defaultWorkspaceID()
            let refused = try await client.send("DELETE", "\(Self.path)/\(fallback)")
            #expect(refused.status == 400)
            #expect(refused.error == "Cannot delete the default tenant")
        }
    }

    @Test func `an owner can assign and remove admins of a tenant`() async throws {
        try await withMortise { mortise in
            let tenant = try await mortise.makeWorkspace("Acme")
            let owner = try await mortise.makeUser("owner@example.com", role: "owner")
            let user = try await mortise.makeUser("user@example.com", role: "member")
            let client = try await mortise.fluxbase(signedInAs: owner.email)
            let path = "\(Self.path)/\(tenant)/admins"
            #expect(try await client.get(path).json == [])
            let assigned = try await client.post(path, ["user_id": .string(user.id)])
            #expect(assigned.status == 201, "\(assigned)")
            #expect(try assigned.string("tenant_id") == tenant)
            #expect(try await client.get(path).json.array?.map { $0["user_id"] } == [.string(user.id)])
            #expect(try await client.post(path, ["user_id": .string(user.id)]).status == 409)

            var theirs = try await mortise.fluxbase(signedInAs: user.email)
            theirs.tenant = tenant
            #expect(try await theirs.get("/admin/service-keys").status == 200)
            theirs.tenant = "default"
            #expect(try await theirs.get("/admin/service-keys").status == 403)
            theirs.tenant = nil
            #expect(try await theirs.get("\(Self.path)/mine").json.array?.map { $0["id"] } == [.string(tenant)])

            #expect(try await client.send("DELETE", "\(path)/\(user.id)").status == 204)
            theirs.tenant = tenant
            #expect(try await theirs.get("/admin/service-keys").status == 403)
            #expect(try await client.send("DELETE", "\(path)/\(user.id)").status == 404)

            let stranger = try await mortise.makeOrganization("Foreign")
            let foreign = try await mortise.makeUser(
                "stranger@example.com",
                role: "admin",
                organization: stranger.id,
                as: stranger.token
            )
            let unknown = try await client.post(path, ["user_id": "0198c0de-0000-7000-8000-00000000abcd"])
            let other = try await client.post(path, ["user_id": .string(foreign.id)])
            #expect(unknown.status == 404)
            #expect(other.comparable == unknown.comparable)
            #expect(try await client.post(path, ["user_id": "x"]).status == 400)
            #expect(try await client.send("DELETE", "\(path)/x").code == "INVALID_ID")
        }
    }

    /// Returns the roles in a workspace, as the native surface shows them.
    private static func roles(in tenant: String, _ mortise: ServerHarness) async throws -> [JSONValue?] {
        let path = "/v1/organizations/default/members?workspace_id=\(tenant)"
        let list = try await mortise.api.get(path, as: mortise.adminToken)
        return try #require(list["data"]?.array, "\(list)").map { $0["role"] }
    }

    // The removal of the membership itself disabled the user's keys, and deleted the account with its last role.
    @Test(arguments: ["member", "admin"])
    func `a removed admin whose only role is in the tenant stays a user with their keys`(_ role: String) async throws {
        try await withMortise { mortise in
            let tenant = try await mortise.makeWorkspace("Acme")
            let owner = try await mortise.makeUser("owner@example.com", role: "owner")
            let user = try await mortise.makeUser("user@example.com", role: role, workspace: tenant)
            let client = try await mortise.fluxbase(signedInAs: owner.email)
            let path = "\(Self.path)/\(tenant)/admins"
            var theirs = try await mortise.fluxbase(signedInAs: user.email)
            theirs.tenant = tenant
            let made = try await theirs.post("/client-keys", ["name": "k", "scopes": ["read:users"]])
            #expect(made.status == 201, "\(made)")
            let key = try made.string("key")
            if role == "member" {
                #expect(try await client.post(path, ["user_id": .string(user.id)]).status == 201)
            }
            #expect(try await theirs.get("/admin/service-keys").status == 200)

            // The attack: a key that may not give or take the role of an admin takes it.
            let weak = FluxbaseClient(mortise, key: try await mortise.makeAdmin(["members:write"]).token)
            #expect(try await weak.send("DELETE", "\(path)/\(user.id)").status == 403)
            #expect(try await theirs.get("/admin/service-keys").status == 200)

            let removed = try await client.send("DELETE", "\(path)/\(user.id)")
            #expect(removed.status == 204, "\(removed)")
            #expect(try await client.get(path).json == [])
            #expect(try await client.send("DELETE", "\(path)/\(user.id)").status == 404)
            #expect(try await Self.roles(in: tenant, mortise) == ["member"])
            #expect(try await theirs.get("/admin/service-keys").status == 403)

            #expect(try await mortise.verdict(key) == "valid")
            var again = try await mortise.fluxbase(signedInAs: user.email)
            again.tenant = tenant
            for session in [theirs, again] {
                #expect(try await session.get("/client-keys")["total"] == 1)
            }
        }
    }

    @Test(arguments: ["member", "auditor"])
    func `a removed admin with a role in the whole organization is as before the assignment`(_ role: String)
        async throws
    {
        try await withMortise { mortise in
            let tenant = try await mortise.makeWorkspace("Acme")
            let user = try await mortise.makeUser("user@example.com", role: role)
            let path = "\(Self.path)/\(tenant)/admins"
            let members = "/v1/organizations/default/members"
            let before = try await mortise.api.get(members, as: mortise.adminToken)
            #expect(try await mortise.fluxbase.post(path, ["user_id": .string(user.id)]).status == 201)
            var theirs = try await mortise.fluxbase(signedInAs: user.email)
            theirs.tenant = tenant
            let made = try await theirs.post("/client-keys", ["name": "k", "scopes": ["read:users"]])
            #expect(made.status == 201, "\(made)")

            #expect(try await mortise.fluxbase.send("DELETE", "\(path)/\(user.id)").status == 204)
            #expect(try await mortise.fluxbase.get(path).json == [])
            #expect(try await mortise.api.get(members, as: mortise.adminToken).json == before.json)
            #expect(try await mortise.verdict(try made.string("key")) == "valid")
        }
    }

    // The attack: a stranger or a foreign admin learns from the header which tenants exist, or works in them.
    @Test func `a tenant is resolved after authentication, and a foreign tenant looks unknown`() async throws {
        try await withMortise { mortise in
            let foreign = try await mortise.makeOrganization("Foreign")
            let own = try await mortise.makeWorkspace("Own")
            let slugless = "0198c0de-0000-7000-8000-00000000abcd"
            for tenant in [own, "own", foreign.workspaceID, "no-such", slugless] {
                let answer = try await FluxbaseClient(mortise, key: "junk", tenant: tenant).get("/admin/service-keys")
                #expect(answer.status == 401)
            }
            var client = mortise.fluxbase
            var reference: Answer?
            for tenant in [
                foreign.workspaceID, slugless, "no-such", "foreign", "Ä", String(repeating: "x", count: 300),
            ] {
                client.tenant = tenant
                for path in ["/admin/service-keys", "/client-keys", "/api-keys"] {
                    let answer = try await client.get(path)
                    #expect(answer.status == 404, "\(tenant): \(answer)")
                    #expect(answer.error == "tenant not found")
                    reference = reference ?? answer
                    #expect(answer.comparable == reference?.comparable)
                }
                #expect(try await client.post("/admin/service-keys", ["name": "x"]).status == 404)
            }
            for (index, tenant) in [own, "own", own.uppercased()].enumerated() {
                client.tenant = tenant
                let made = try await client.post("/admin/service-keys", ["name": .string("key \(index)")])
                #expect(made.status == 201, "\(made)")
            }
            #expect(try await client.get("/admin/service-keys").json.array?.count == 3)
            client.tenant = nil
            #expect(try await client.get("/admin/service-keys").json == [])
        }
    }

    @Test func `an admin of one tenant cannot leave it, with a header or without`() async throws {
        try await withMortise { mortise in
            let tenant = try await mortise.makeWorkspace("Acme")
            let other = try await mortise.makeWorkspace("Other")
            let user = try await mortise.makeUser("tenant@example.com", role: "admin", workspace: tenant)
            var client = try await mortise.fluxbase(signedInAs: user.email)
            let key = try await client.post("/admin/service-keys", ["name": "k"])
            #expect(key.status == 201, "\(key)")
            client.tenant = tenant
            #expect(try await client.get("/admin/service-keys").json.array?.count == 1)
            for foreign in [other, "other", "default", try await mortise.defaultWorkspaceID()] {
                client.tenant = foreign
                #expect(try await client.get("/admin/service-keys").status == 404)
                #expect(try await client.get("/client-keys").status == 404)
            }
            client.tenant = nil
            #expect(try await client.get(Self.path).json.array?.map { $0["id"] } == [.string(tenant)])
            #expect(try await client.get("\(Self.path)/\(other)").status == 404)
            #expect(try await client.send("DELETE", "\(Self.path)/\(other)").status == 404)
            #expect(try await client.post(Self.path, ["slug": "new", "name": "New"]).status == 403)
            #expect(try await mortise.api.get("/v1/workspaces/new", as: mortise.adminToken).status == 404)
        }
    }

    // The attack: an admin of one tenant removes a user from another tenant.
    @Test func `a user who is removed from one tenant keeps their role in others`() async throws {
        try await withMortise { mortise in
            let user = try await mortise.makeUser("user@example.com", role: "member")
            let tenants = [try await mortise.makeWorkspace("First"), try await mortise.makeWorkspace("Second")]
            for tenant in tenants {
                let body: JSONValue = ["user_id": .string(user.id)]
                #expect(try await mortise.fluxbase.post("\(Self.path)/\(tenant)/admins", body).status == 201)
            }
            let removed = try await mortise.fluxbase.send("DELETE", "\(Self.path)/\(tenants[0])/admins/\(user.id)")
            #expect(removed.status == 204, "\(removed)")
            let client = try await mortise.fluxbase(signedInAs: user.email)
            let mine = try await client.get("\(Self.path)/mine")
            #expect(mine.json.array?.map { $0["id"] } == [.string(tenants[1])], "\(mine)")
            #expect(try await mortise.fluxbase.get("\(Self.path)/\(tenants[0])/admins").json == [])
        }
    }
}
