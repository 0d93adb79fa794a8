import JSON
import Keys
import Server
import ServerTestSupport
import Surfaces
import TestSupport
import Testing

/// Lists of sessions, and the end of single ones.
@Suite(.hangLimit) struct SessionListTests {
    private static func ids(_ answer: Answer) -> [String] {
        answer["data"]?.array?.compactMap { $0["id"]?.string } ?? []
    }

    // The fault: a laptop is stolen, and its owner cannot see or end the session on it.
    @Test func `a member sees and ends their own sessions, one or all others`() async throws {
        try await withMortise {
            $0.clients = ClientAddresses(trusting: [AddressRange(containing: .v4(0x7F00_0001), prefixLength: 8)])
        } _: { mortise in
            let api = mortise.api
            _ = try await mortise.addMember("ada@example.org", "admin")
            var sessions: [String] = []
            for address in ["198.51.100.1", "198.51.100.2", "198.51.100.3"] {
                let answer = try await mortise.trySignIn("ada@example.org", from: address)
                sessions.append(try answer.string("access_token"))
            }
            let listed = try await api.get("/v1/me/sessions", as: sessions[0])
            #expect(listed.status == 200, "\(listed)")
            let rows = listed["data"]?.array ?? []
            #expect(rows.map { $0["address"]?.string } == ["198.51.100.3", "198.51.100.2", "198.51.100.1"])
            #expect(rows.map { $0["is_current"] } == [false, false, true])
            let ids = Self.ids(listed)

            #expect(try await api.send("DELETE", "/v1/me/sessions/\(ids[1])", as: sessions[0]).status == 204)
            #expect(try await api.get("/v1/me", as: sessions[1]).status == 401)
            #expect(try await api.send("DELETE", "/v1/me/sessions/\(ids[1])", as: sessions[0]).status == 404)
            #expect(Self.ids(try await api.get("/v1/me/sessions", as: sessions[0])) == [ids[0], ids[2]])

            #expect(try await api.send("DELETE", "/v1/me/sessions", as: sessions[0])["sessions"] == 1)
            #expect(try await api.get("/v1/me", as: sessions[2]).status == 401)
            #expect(try await api.get("/v1/me", as: sessions[0]).status == 200)
            let events = try await api.get(
                "/v1/organizations/default/events?type=session.ended",
                as: mortise.adminToken
            )
            #expect(events["data"]?.array?.count == 2)
        }
    }

    // The attack: somebody ends, or looks at, the sessions of somebody else.
    @Test func `nobody sees or ends sessions of somebody else without the right to manage members`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let ada = try await mortise.addMember("ada@example.org", "owner")
            let adas = try await mortise.signIn("ada@example.org").access
            let bob = try await mortise.session("bob@example.org", "member")
            let eve = try await mortise.session("eve@example.org", "admin")
            let id = try #require(Self.ids(try await api.get("/v1/me/sessions", as: adas)).first)

            for other in [bob, eve] {
                #expect(try await api.send("DELETE", "/v1/me/sessions/\(id)", as: other).status == 404)
                #expect(!Self.ids(try await api.get("/v1/me/sessions", as: other)).contains(id))
            }
            let path = "\(ada.path)/sessions"
            #expect(try await api.get(path, as: bob).status == 403)
            #expect(try await api.send("DELETE", path, as: bob).status == 403)
            // An admin does not change an owner.
            #expect(try await api.send("DELETE", path, as: eve).status == 403)
            for token in [mortise.adminToken, mortise.operatorToken] {
                #expect(try await api.get("/v1/me/sessions", as: token).status == 403)
                #expect(try await api.send("DELETE", "/v1/me/sessions", as: token).status == 403)
            }
            let other = try await mortise.makeOrganization("Other")
            #expect(try await api.get(path, as: other.token).status == 404)
            #expect(try await api.send("DELETE", path, as: other.token).status == 404)
            #expect(try await api.get("/v1/me", as: adas).status == 200)
        }
    }

    @Test func `those who manage members see and end a member's sessions in their organization only`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let bob = try await mortise.addMember("bob@example.org", "member")
            let here = try await mortise.signIn("bob@example.org").access
            let other = try await mortise.makeOrganization("Other")
            let operatorToken = mortise.operatorToken
            _ = try await mortise.addMember("bob@example.org", "member", organization: "other", as: operatorToken)
            let there = try await api.post(
                "/v1/sessions",
                [
                    "email": "bob@example.org", "password": .string(ServerHarness.memberPassword),
                    "organization": .string(other.id),
                ],
                as: nil
            )
            #expect(there.status == 201)
            #expect(Self.ids(try await api.get("/v1/me/sessions", as: here)).count == 2)

            let path = "\(bob.path)/sessions"
            #expect(Self.ids(try await api.get(path, as: mortise.adminToken)).count == 1)
            #expect(try await api.send("DELETE", path, as: mortise.adminToken)["sessions"] == 1)
            #expect(try await api.get("/v1/me", as: here).status == 401)
            #expect(try await api.get("/v1/me", as: try there.string("access_token")).status == 200)
            #expect(try await mortise.trySignIn("bob@example.org").status == 201)
        }
    }

    // The attack: an admin, or the admin of one workspace, gives an owner a further role, and ends the owner's sessions because of that role.
    @Test func `a further role of a member gives nobody power over the member's sessions`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let members = "/v1/organizations/default/members"
            _ = try await mortise.addMember("ada@example.org", "owner")
            let adas = try await mortise.signIn("ada@example.org").access
            let shop = try await api.post(
                "/v1/organizations/default/workspaces",
                ["name": "Shop"],
                as: mortise.adminToken
            )
            let id = try shop.string("id")
            let wide = try await mortise.session("eve@example.org", "admin")
            let narrow = try await mortise.session("mal@example.org", "admin", workspace: id)
            let body: JSONValue = ["email": "ada@example.org", "role": "member", "workspace_id": .string(id)]
            let further = try await api.post(members, body, as: narrow)
            #expect(further.status == 201, "\(further)")
            let path = "\(members)/\(try further.string("id"))/sessions"
            for token in [narrow, wide, mortise.adminToken] {
                let answer = try await api.send("DELETE", path, as: token)
                #expect(answer.status == 403, "\(answer)")
            }
            #expect(try await api.get(path, as: narrow).status == 403)
            #expect(try await api.get("/v1/me", as: adas).status == 200)

            // A user who has no role elsewhere is the business of the workspace's admin.
            let bob = try await mortise.addMember("bob@example.org", "member", workspace: id)
            let bobs = try await mortise.signIn("bob@example.org").access
            #expect(Self.ids(try await api.get("\(bob.path)/sessions", as: narrow)).count == 1)
            #expect(try await api.send("DELETE", "\(bob.path)/sessions", as: narrow)["sessions"] == 1)
            #expect(try await api.get("/v1/me", as: bobs).status == 401)

            #expect(try await api.send("DELETE", path, as: mortise.operatorToken)["sessions"] == 1)
            #expect(try await api.get("/v1/me", as: adas).status == 401)
        }
    }
}
