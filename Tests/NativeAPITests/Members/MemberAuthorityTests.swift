import JSON
import Keys
import People
import Server
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing

/// Authority over members: a caller grants only permissions that the caller has at the moment of the change.
@Suite(.hangLimit) struct MemberAuthorityTests {
    private static let members = "/v1/organizations/default/members"

    // The attack: the holder of a key with members:write alone becomes an admin, by a new member or by a new password
    // of an admin.
    @Test func `an admin key cannot give or change a role with more permissions than the key`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let weak = try await mortise.makeAdmin(["members:write"]).token
            let admin = try await mortise.addMember("admin@example.org", "admin")
            let auditor = try await mortise.addMember("auditor@example.org", "auditor")
            for role in ["owner", "admin", "auditor", "member"] {
                let answer = try await api.post(
                    Self.members,
                    ["email": "mallory@example.org", "role": .string(role), "password": "known to mallory"],
                    as: weak
                )
                #expect(answer.status == 403, "\(role): \(answer)")
            }
            for person in [admin, auditor] {
                for change: JSONValue in [["password": "known to mallory"], ["name": "M"], ["role": "member"]] {
                    #expect(try await api.send("PATCH", person.path, change, as: weak).status == 403)
                }
                #expect(try await api.send("DELETE", person.path, as: weak).status == 403)
            }
            #expect(try await api.send("PATCH", auditor.path, ["role": "admin"], as: weak).status == 403)
            #expect(try await mortise.trySignIn("admin@example.org", "known to mallory").status == 401)
            // A key can grant the permissions that it has.
            let reader = try await mortise.makeAdmin(["members:write", "keys:read", "events:read"]).token
            let writer = try await mortise.makeAdmin(["members:write", "keys:write"]).token
            func add(_ role: String, _ token: String) async throws -> Int {
                let body: JSONValue = ["email": .string("\(role)2@example.org"), "role": .string(role)]
                return try await api.post(Self.members, body, as: token).status
            }
            #expect(try await add("auditor", reader) == 201)
            #expect(try await add("member", reader) == 403)
            #expect(try await add("member", writer) == 201)
            #expect(try await add("admin", writer) == 403)
            #expect(try await api.get(Self.members, as: weak).status == 200)
        }
    }

    // Two owners give different roles at the same moment: each form was compared with the role before the other one was saved.
    @Test func `a role that somebody changed meanwhile is not changed by the knowledge of the old one`() async throws {
        try await withMortise { mortise in
            let person = try await mortise.addMember("bob@example.org", "auditor")
            let id = try #require(UUIDv7.parse(person.id))
            let (members, caller) = (mortise.server.platform.members, try await mortise.caller())
            let known = try await members.get(id, organization: "default", by: caller)
            func change(_ change: MemberChange) async throws -> Member {
                try await members.change(id, change, ifStill: known, organization: "default", by: caller)
            }
            let changed = try await change(MemberChange(role: .admin))
            #expect(changed.role == .admin)
            await #expect(throws: ChangedMeanwhile.self) { _ = try await change(MemberChange(role: .member)) }
            // The name is still the known one.
            let named = try await change(MemberChange(role: nil, name: .some("Bob")))
            #expect(named.user.name == "Bob")
            await #expect(throws: ChangedMeanwhile.self) {
                _ = try await change(MemberChange(role: nil, name: .some("Rob")))
            }
            let kept = try await members.get(id, organization: "default", by: caller)
            #expect(kept.role == .admin)
        }
    }

    // The attack: the holder of such a key creates the first owner before the organization has a member.
    @Test func `the first owner can be created only by a key with every permission`() async throws {
        try await withMortise { mortise in
            let all = PermissionSet.organization.names
            let members = mortise.server.platform.members
            func setUp(_ token: String) async throws -> SignedIn {
                try await members.setUp(
                    email: "first@example.org",
                    password: ServerHarness.memberPassword,
                    name: nil,
                    setupToken: token,
                    from: RequestOrigin(address: nil, requestID: nil)
                )
            }
            for weak in [["members:write"]] + all.map({ name in all.filter { $0 != name } }) {
                let token = try await mortise.makeAdmin(weak).token
                await #expect(throws: Refusal.self, "\(weak)") { try await setUp(token) }
                let body: JSONValue = ["email": "first@example.org", "role": "owner"]
                #expect(try await mortise.api.post(Self.members, body, as: token).status == 403)
            }
            #expect(try await members.needsSetUp())
            let body: JSONValue = ["email": "other@example.org", "role": "owner"]
            #expect(try await mortise.api.post(Self.members, body, as: mortise.adminToken).status == 201)
        }
    }

    // The attack: an admin sends a request, and the request runs after the admin's removal was answered.
    @Test(arguments: [
        ("UPDATE control.members SET role = 'auditor'", 403), ("DELETE FROM control.members", 401),
        ("UPDATE control.sessions SET ended_at = now(), end_reason = 'signed_out'", 401),
    ])
    func `a change by a member uses the member's permissions at the moment of the change`(
        _ change: String,
        _ status: Int
    ) async throws {
        try await withMortise { mortise in
            let token = try await mortise.session("boss@example.org", "admin")
            let lock = "SELECT FROM control.organizations WHERE slug = 'default' FOR UPDATE"
            let answer = try await mortise.during("\(lock); \(change)") {
                let body: JSONValue = ["email": "mallory@example.org", "role": "admin"]
                return try await mortise.api.post(Self.members, body, as: token)
            }
            #expect(answer.status == status, "\(answer)")
            let list = try await mortise.api.get("\(Self.members)?query=mallory", as: mortise.adminToken)
            #expect(list["data"] == [])
        }
    }

    // The attack: the same with a leaked admin key that is being revoked.
    @Test(arguments: [
        ("UPDATE auth.service_keys SET disabled_at = now() WHERE id = '<id>'", 401),
        ("UPDATE auth.service_keys SET permissions = '{members:write}' WHERE id = '<id>'", 403),
        ("UPDATE auth.key_secrets SET ended_at = now(), ends_at = now() WHERE key_id = '<id>'", 401),
        ("DELETE FROM auth.service_keys WHERE id = '<id>'", 401),
    ])
    func `a change by a key uses the key's permissions at the moment of the change`(_ change: String, _ status: Int)
        async throws
    {
        try await withMortise { mortise in
            let key = try await mortise.makeAdmin(PermissionSet.organization.names)
            let lock = "SELECT FROM control.organizations WHERE slug = 'default' FOR UPDATE"
            let answer = try await mortise.during("\(lock); \(change.replacing("<id>", with: key.id))") {
                let body: JSONValue = ["email": "mallory@example.org", "role": "admin"]
                return try await mortise.api.post(Self.members, body, as: key.token)
            }
            #expect(answer.status == status, "\(answer)")
            let list = try await mortise.api.get("\(Self.members)?query=mallory", as: mortise.adminToken)
            #expect(list["data"] == [])
        }
    }

    // The same for keys and workspaces: once a revocation is answered, no pending request of the key has an effect.
    @Test(
        arguments: [
            ("organizations/default/admin-keys", ["name": "n", "permissions": ["keys:read"]]),
            ("organizations/default/workspaces", ["name": "n"]),
        ] as [(String, JSONValue)]
    )
    func `a pending creation fails if its key ends first`(_ path: String, _ body: JSONValue) async throws {
        try await withMortise { mortise in
            for (change, status) in [
                ("UPDATE auth.service_keys SET disabled_at = now() WHERE id = '<id>'", 401),
                ("UPDATE auth.service_keys SET permissions = '{keys:read}' WHERE id = '<id>'", 403),
            ] {
                let key = try await mortise.makeAdmin(["keys:read", "keys:write", "workspaces:write"])
                let before = try await mortise.api.get("/v1/\(path)", as: mortise.adminToken)["data"]?.array?.count
                let sql =
                    "LOCK TABLE auth.idempotency IN EXCLUSIVE MODE; \(change.replacing("<id>", with: key.id))"
                let answer = try await mortise.during(sql) {
                    try await mortise.api.post("/v1/\(path)", body, as: key.token, key: "k")
                }
                #expect(answer.status == status, "\(answer)")
                let after = try await mortise.api.get("/v1/\(path)", as: mortise.adminToken)["data"]?.array?.count
                #expect(after == before)
                _ = try await mortise.api.send("DELETE", key.path, as: mortise.adminToken)
            }
        }
    }

    // The attack: an admin of one workspace, who is a member or an auditor of the organization, reads everybody's
    // roles.
    @Test(arguments: ["member", "auditor"])
    func `an admin of one workspace sees the members of that workspace only`(_ wide: String) async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let (mine, other) = (try await mortise.makeWorkspace("Mine"), try await mortise.makeWorkspace("Other"))
            let person = try await mortise.addMember("eve@example.org", wide)
            let here = try await mortise.addMember("eve@example.org", "admin", workspace: mine)
            let there = try await mortise.addMember("bob@example.org", "admin", workspace: other)
            let token = try await mortise.signIn("eve@example.org").access
            let list = try await api.get(Self.members, as: token)
            #expect(list["data"]?.array?.compactMap { $0["id"]?.string } == [here.id])
            #expect(try await api.get("\(Self.members)?workspace_id=\(other)", as: token)["data"] == [])
            #expect(try await api.get(here.path, as: token).status == 200)
            for unseen in [person, there] {
                #expect(try await api.get(unseen.path, as: token).status == 404)
                #expect(try await api.send("PATCH", unseen.path, ["role": "member"], as: token).status == 404)
                #expect(try await api.send("DELETE", unseen.path, as: token).status == 404)
            }
            var client = try await mortise.fluxbase(
                signedInAs: "eve@example.org",
                password: ServerHarness.memberPassword
            )
            client.tenant = nil
            #expect(try await client.get("/admin/tenants/\(mine)/admins").json.array?.count == 1)
            #expect(try await client.get("/admin/tenants/\(other)/admins").status == 403)
            let assigned = try await client.post(
                "/admin/tenants/\(other)/admins",
                ["user_id": .string(person.userID)]
            )
            #expect(assigned.status == 403)
        }
    }
}
