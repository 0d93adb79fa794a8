import JSON
import Keys
import Postgres
import Server
import ServerTestSupport
import Service
import TestSupport
import Testing

/// Members and the permissions of their roles.
@Suite(.hangLimit) struct MemberTests {
    private static let members = "/v1/organizations/default/members"

    @Test func `members can be added, listed, changed and removed`() async throws {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let owner = try await mortise.addMember("owner@example.org", "owner")
            let shop = try await api.post("/v1/organizations/default/workspaces", ["name": "Shop"], as: admin)
            let auditor = try await mortise.addMember(
                "audit@example.org",
                "auditor",
                workspace: try shop.string("id")
            )
            let list = try await api.get(Self.members, as: admin)
            #expect(list["data"]?.array?.compactMap { $0["id"]?.string } == [auditor.id, owner.id])
            let one = try await api.get("\(Self.members)?limit=1", as: admin)
            #expect(one["data"]?.array?.count == 1)
            let cursor = try one.string("next_cursor")
            let two = try await api.get("\(Self.members)?limit=1&cursor=\(cursor)", as: admin)
            #expect(two["data"]?.array?.compactMap { $0["id"]?.string } == [owner.id])
            for (query, found) in [
                ("role=auditor", auditor.id), ("query=OWNER", owner.id),
                ("workspace_id=\(try shop.string("id"))", auditor.id),
            ] {
                let filtered = try await api.get("\(Self.members)?\(query)", as: admin)
                #expect(filtered["data"]?.array?.compactMap { $0["id"]?.string } == [found], "\(query)")
            }
            #expect(try await api.get(auditor.path, as: admin)["workspace_id"] == shop["id"])
            let patched = try await api.send("PATCH", auditor.path, ["role": "admin", "name": "Au"], as: admin)
            #expect(patched["role"] == "admin")
            #expect(patched["user", "name"] == "Au")
            #expect(try await api.send("PATCH", auditor.path, ["name": nil], as: admin)["user", "name"] == .null)
            #expect(try await api.send("DELETE", auditor.path, as: admin).status == 204)
            #expect(try await api.get(auditor.path, as: admin).status == 404)
            #expect(try await api.send("DELETE", auditor.path, as: admin).status == 404)
            let events = try await mortise.rows(
                mortise.installation.control,
                "SELECT type FROM auth.key_events WHERE type LIKE 'member.%' ORDER BY id"
            )
            #expect(
                try events.map { try $0.decode(0, as: String.self) } == [
                    "member.added", "member.added", "member.updated", "member.updated", "member.updated",
                    "member.removed",
                ]
            )
        }
    }

    // The fault: somebody renamed a member, and no event told who.
    @Test func `a changed name leaves an event with both names, and the same name leaves none`() async throws {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let bob = try await mortise.addMember("bob@example.org", "member")
            for name in ["Bob", "Bob", "Rob"] {
                let answer = try await api.send("PATCH", bob.path, ["name": .string(name)], as: admin)
                #expect(answer.status == 200 && answer["user", "name"]?.string == name, "\(answer)")
            }
            let events = try await api.get("/v1/organizations/default/events?type=member.updated", as: admin)
            let changes = events["data"]?.array?.compactMap { $0["changes"]?["name"] } ?? []
            #expect(changes.count == 2, "\(events)")
            #expect(changes.contains { $0["from"] == .null && $0["to"] == "Bob" })
            #expect(changes.contains { $0["from"] == "Bob" && $0["to"] == "Rob" })
        }
    }

    // The fault: the person whose only role went with its workspace stayed in the database, with the password.
    @Test func `a user whose last role went with its workspace is deleted, and nobody else is`() async throws {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let shop = try await api.post("/v1/organizations/default/workspaces", ["name": "Shop"], as: admin)
            let id = try shop.string("id")
            for workspace in [id, nil] {
                _ = try await mortise.addMember("ada@example.org", "member", workspace: workspace)
            }
            _ = try await mortise.addMember("bob@example.org", "member", workspace: id)
            #expect(try await mortise.server.platform.upkeep.deleteUsersWithoutRoles() == 0)
            #expect(try await api.post("/v1/workspaces/\(id)/archive", as: admin).status == 200)
            #expect(try await api.send("DELETE", "/v1/workspaces/\(id)", as: admin).status == 204)
            #expect(try await mortise.server.platform.upkeep.deleteUsersWithoutRoles() == 1)
            let users = try await mortise.rows(
                mortise.installation.control,
                "SELECT email FROM control.users WHERE email LIKE '%@example.org'"
            )
            #expect(try users.map { try $0.decode(0, as: String.self) } == ["ada@example.org"])
            #expect(try await mortise.trySignIn("ada@example.org").status == 201)
        }
    }

    @Test func `a refused member names each fault`() async throws {
        try await withMortise { mortise in
            let acme = try await mortise.makeOrganization("Acme")
            func add(_ body: JSONValue) async throws -> Answer {
                try await mortise.api.post(Self.members, body, as: mortise.adminToken)
            }
            #expect(try await add([:]).pointers == ["/email", "/role"])
            #expect(try await add(["email": "x", "role": "king"]).pointers == ["/email", "/role"])
            #expect(try await add(["email": "a@b@c", "role": "admin"]).pointers == ["/email"])
            #expect(try await add(["email": "é@x.org", "role": "admin"]).pointers == ["/email"])
            for email in ["a@x..example", "a@example", "abcdefghijklmnopqrst", "a..b@x.org", ".a@x.org", "a@-x.org"] {
                let answer = try await add(["email": .string(email), "role": "admin"])
                #expect(answer.pointers == ["/email"], "\(email)")
            }
            #expect(
                try await add(["email": "a@x.org", "role": "admin", "password": "short"]).pointers == ["/password"]
            )
            for workspace in [acme.workspaceID, "0198c0de-0000-7000-8000-00000000abcd"] {
                let answer = try await add(["email": "a@x.org", "role": "admin", "workspace_id": .string(workspace)])
                #expect(answer.status == 400)
                #expect(answer.pointers == ["/workspace_id"])
            }
            _ = try await mortise.addMember("a@x.org", "admin")
            #expect(try await add(["email": "A@X.org", "role": "member"]).status == 409)
            #expect(try await mortise.trySignIn("a@x.org").status == 201)
        }
    }

    @Test(arguments: [
        ("owner", true, true, true, true), ("admin", true, true, true, true), ("auditor", true, false, true, false),
        ("member", false, false, false, false),
    ])
    func `a role has exactly its documented permissions`(
        _ role: String,
        _ read: Bool,
        _ write: Bool,
        _ events: Bool,
        _ manage: Bool
    )
        async throws
    {
        try await withMortise { mortise in
            let api = mortise.api
            let token = try await mortise.session("x@example.org", role)
            let keys = ServerHarness.keys()
            func expect(_ allowed: Bool, _ answer: Answer, _ good: Int) {
                #expect(answer.status == (allowed ? good : 403), "\(role): \(answer)")
            }
            expect(read, try await api.get(keys, as: token), 200)
            expect(write, try await api.post(keys, ["name": "k"], as: token), 201)
            expect(events, try await api.get("/v1/workspaces/default/events", as: token), 200)
            expect(manage, try await api.get(Self.members, as: token), 200)
            expect(manage, try await api.post("/v1/verify", ["token": "x"], as: token), 200)
            expect(manage, try await api.send("PATCH", "/v1/workspaces/default", ["name": "N"], as: token), 200)
            expect(manage, try await api.post("/v1/organizations/default/workspaces", ["name": "W"], as: token), 201)
            expect(read, try await api.get("/v1/organizations/default/admin-keys", as: token), 200)
            expect(
                write,
                try await api.post("/v1/organizations/default/admin-keys", ["name": "a"], as: token),
                201
            )
            #expect(try await api.get("/v1/workspaces/default", as: token).status == 200)
            #expect(try await api.get("/v1/operator-keys", as: token).status == 403)
            #expect(try await api.post("/v1/organizations", ["name": "O"], as: token).status == 403)
            #expect(try await api.get("/v1/organizations/default/session-issuers", as: token).status == 403)
        }
    }

    // The attack: a member of one workspace calls another workspace of the same organization.
    @Test(arguments: ["owner", "admin", "auditor", "member"])
    func `a member of one workspace cannot reach another workspace`(_ role: String) async throws {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let shop = try await api.post("/v1/organizations/default/workspaces", ["name": "Shop"], as: admin)
            let id = try shop.string("id")
            let foreign = try await mortise.makeKey("theirs")
            let own = try await mortise.makeKey("own", in: id)
            let token = try await mortise.session("x@example.org", role, workspace: id)
            let visible = try await api.get("/v1/workspaces", as: token)
            #expect(visible["data"]?.array?.compactMap { $0["id"]?.string } == [id])
            #expect(try await api.get("/v1/workspaces/shop", as: token).status == 200)
            let isAdmin = role == "owner" || role == "admin"
            for path in ["/v1/workspaces/default", ServerHarness.keys(), foreign.path, "/v1/workspaces/default/events"]
            {
                let answer = try await api.get(path, as: token)
                #expect(answer.status == 404 || (answer.status == 403 && !isAdmin), "\(path): \(answer)")
                // The sentence names what the path asks for, so it is that of the same path with an unknown workspace.
                try #require(path.hasPrefix("/v1/workspaces/default"))
                let unknown = path.replacing("/v1/workspaces/default", with: "/v1/workspaces/nowhere")
                let refusal = try await api.get(unknown, as: token)
                if answer.status == 404 { #expect(answer.comparable == refusal.comparable) }
            }
            for path in ["/v1/workspaces/default/suspend", "\(foreign.path)/revoke", "/v1/workspaces/default/archive"] {
                #expect([403, 404].contains(try await api.post(path, as: token).status), "\(path)")
            }
            // The member cannot reach objects of the organization either.
            for path in ["/v1/organizations/default/admin-keys", "/v1/organizations/default/workspaces"] {
                #expect(try await api.post(path, ["name": "x"], as: token).status == 403, "\(path)")
            }
            #expect(try await api.get("/v1/organizations/default/admin-keys", as: token).status == 403)
            if isAdmin {
                #expect(try await api.get(own.path, as: token).status == 200)
                #expect(try await mortise.verdict(own.token, as: token) == "valid")
                #expect(try await mortise.verdict(foreign.token, as: token) == "not_found")
                #expect(try await api.get(Self.members, as: token)["data"]?.array?.count == 1)
            }
            #expect(try await mortise.verdict(foreign.token) == "valid")
        }
    }

    @Test func `a member manages their own client keys and no other`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let person = try await mortise.addMember("m@example.org", "member")
            let token = try await mortise.signIn("m@example.org").access
            let path = "/v1/workspaces/default/client-keys"
            let other = try await api.post(path, ["name": "o", "subject": "other"], as: mortise.adminToken)
            let otherPath = "\(path)/\(try other.string("key", "id"))"
            let made = try await api.post(path, ["name": "k", "subject": .string(person.userID)], as: token)
            #expect(made.status == 201, "\(made)")
            #expect(made["key", "created_by"]?.string == "member:\(person.userID)")
            let list = try await api.get(path, as: token)
            #expect(list["data"]?.array?.compactMap { $0["name"]?.string } == ["k"])
            #expect(try await api.get(otherPath, as: token).status == 404)
            #expect(try await api.post("\(otherPath)/revoke", as: token).status == 404)
            #expect(
                [403, 404].contains(try await api.post(path, ["name": "z", "subject": "other"], as: token).status)
            )
            let own = "\(path)/\(try made.string("key", "id"))"
            #expect(try await api.post("\(own)/revoke", as: token).status == 200)
            #expect(try await api.get(ServerHarness.keys(), as: token).status == 403)
        }
    }

    // The attack: an admin becomes an owner, directly or through a key, or removes an owner.
    @Test func `only an owner can add, change or remove owners, and the last owner stays`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let owner = try await mortise.addMember("owner@example.org", "owner")
            let admin = try await mortise.addMember("admin@example.org", "admin")
            let byOwner = try await mortise.signIn("owner@example.org").access
            let byAdmin = try await mortise.signIn("admin@example.org").access
            for token in [byAdmin, mortise.adminToken] {
                #expect(try await api.send("PATCH", admin.path, ["role": "owner"], as: token).status == 403)
                #expect(try await api.send("PATCH", owner.path, ["role": "member"], as: token).status == 403)
                #expect(
                    try await api.send("PATCH", owner.path, ["password": "a new password"], as: token).status == 403
                )
                #expect(try await api.send("DELETE", owner.path, as: token).status == 403)
                let body: JSONValue = ["email": "new@example.org", "role": "owner"]
                #expect(try await api.post(Self.members, body, as: token).status == 403)
            }
            for token in [byOwner, mortise.operatorToken] {
                #expect(try await api.send("DELETE", owner.path, as: token).status == 409)
                #expect(try await api.send("PATCH", owner.path, ["role": "admin"], as: token).status == 409)
            }
            #expect(try await api.send("PATCH", admin.path, ["role": "owner"], as: byOwner).status == 200)
            // The organization now has two owners, so one can be removed.
            #expect(try await api.send("DELETE", owner.path, as: byAdmin).status == 204)
            #expect(try await api.get("/v1/me", as: byOwner).status == 401)
            #expect(try await api.send("DELETE", admin.path, as: byAdmin).status == 409)
        }
    }

    @Test func `two owners who remove each other concurrently leave one owner`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            for _ in 0..<5 {
                let first = try await mortise.addMember("a@example.org", "owner", as: mortise.operatorToken)
                let second = try await mortise.addMember("b@example.org", "owner", as: mortise.operatorToken)
                async let one = api.send("DELETE", first.path, as: mortise.operatorToken)
                async let two = api.send("DELETE", second.path, as: mortise.operatorToken)
                let statuses = try await [one.status, two.status].sorted()
                #expect(statuses == [204, 409])
                try await mortise.script(
                    mortise.installation.control,
                    "DELETE FROM control.users"
                )
            }
        }
    }

    // The attack: an admin creates a user for somebody's address with a known password, and waits until another
    // organization adds that user. Or the admin adds a user of another organization and resets the password.
    @Test func `an organization cannot take over another organization's user`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let acme = try await mortise.makeOrganization("Acme")
            let victim = try await mortise.addMember("victim@example.org", "admin")
            let path = "/v1/organizations/acme/members"
            let body: JSONValue = [
                "email": "victim@example.org", "role": "admin", "password": "known to the attacker",
            ]
            #expect(try await api.post(path, body, as: acme.token).status == 409)
            // An operator may add the user. After that, neither organization can change the password.
            let linked = try await api.post(path, body, as: mortise.operatorToken)
            #expect(linked.status == 201)
            #expect(linked["user", "id"]?.string == victim.userID)
            let theirs = "\(path)/\(try linked.string("id"))"
            for (member, token) in [(theirs, acme.token), (victim.path, mortise.adminToken)] {
                let patch: JSONValue = ["password": "known to the attacker"]
                #expect(try await api.send("PATCH", member, patch, as: token).status == 403)
                #expect(try await api.send("PATCH", member, ["name": "Mallory"], as: token).status == 403)
            }
            #expect(try await mortise.trySignIn("victim@example.org", "known to the attacker").status == 401)
            // A session acts in one organization, which the user can choose.
            let session = try await api.post(
                "/v1/sessions",
                [
                    "email": "victim@example.org", "password": .string(ServerHarness.memberPassword),
                    "organization": "acme",
                ],
                as: nil
            )
            let token = try session.string("access_token")
            #expect(try await api.get("/v1/organizations/acme", as: token).status == 200)
            #expect(try await api.get("/v1/organizations/default", as: token).status == 404)
            // A user without any role is deleted, and so is the password that somebody else may know.
            #expect(try await api.send("DELETE", theirs, as: acme.token).status == 204)
            #expect(try await api.send("DELETE", victim.path, as: mortise.adminToken).status == 204)
            let fresh = try await api.post(path, ["email": "victim@example.org", "role": "admin"], as: acme.token)
            #expect(fresh.status == 201)
            #expect(fresh["user", "id"]?.string != victim.userID)
            #expect(fresh["user", "has_password"] == false)
            #expect(try await mortise.trySignIn("victim@example.org").status == 401)
        }
    }

    @Test func `a password reset by an admin ends the member's sessions`() async throws {
        try await withMortise { mortise in
            let person = try await mortise.addMember("m@example.org", "member")
            let session = try await mortise.signIn("m@example.org")
            let patch: JSONValue = ["password": "reset by an admin"]
            #expect(try await mortise.api.send("PATCH", person.path, patch, as: mortise.adminToken).status == 200)
            #expect(try await mortise.api.get("/v1/me", as: session.access).status == 401)
            _ = try await mortise.signIn("m@example.org", "reset by an admin")
        }
    }

    @Test func `the first member is created once, from settings or by the setup call`() async throws {
        try await withInstallation { installation in
            let first = try FirstMember(email: "First@example.org", password: ServerHarness.memberPassword)
            let (admin, platformKey) = try await withMortise(of: installation, configure: { $0.firstMember = first }) {
                mortise in
                let answer = try await mortise.trySignIn("first@example.org")
                #expect(answer["memberships"]?.array?.first?["role"] == "owner")
                #expect(try await !mortise.server.platform.members.needsSetUp())
                try await mortise.script(installation.control, "DELETE FROM control.users")
                return (mortise.adminToken, mortise.operatorToken)
            }
            // The member was removed, and a restart does not create the member again.
            try await withMortise(of: installation, configure: { $0.firstMember = first }) { mortise in
                #expect(try await mortise.trySignIn("first@example.org").status == 401)
                let members = mortise.server.platform.members
                #expect(try await members.needsSetUp())
                let origin = RequestOrigin(address: nil, requestID: nil)
                let service = try await mortise.makeKey("service", as: admin)
                let weak = try await mortise.makeAdmin(["keys:read"], as: admin)
                for token in ["junk", service.token] {
                    await #expect(throws: Refusal.self) {
                        try await members.setUp(
                            email: "a@example.org",
                            password: ServerHarness.memberPassword,
                            name: nil,
                            setupToken: token,
                            from: origin
                        )
                    }
                }
                await #expect(throws: Refusal.self) {
                    try await members.setUp(
                        email: "a@example.org",
                        password: ServerHarness.memberPassword,
                        name: nil,
                        setupToken: weak.token,
                        from: origin
                    )
                }
                #expect(try await members.needsSetUp())
                _ = try await members.setUp(
                    email: "a@example.org",
                    password: ServerHarness.memberPassword,
                    name: "A",
                    setupToken: platformKey,
                    from: origin
                )
                #expect(try await !members.needsSetUp())
                await #expect(throws: Refusal.self) {
                    try await members.setUp(
                        email: "b@example.org",
                        password: ServerHarness.memberPassword,
                        name: nil,
                        setupToken: platformKey,
                        from: origin
                    )
                }
                _ = try await mortise.signIn("a@example.org")
            }
        }
    }
}
