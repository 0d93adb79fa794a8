import JSON
import KeyStore
import Keys
import People
import Postgres
import Server
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing

/// Sessions and passwords during a concurrent change of their user.
@Suite(.hangLimit) struct MemberSessionTests {
    private static let reset = "the password after the reset"

    /// Returns the SQL of a password reset for ada, which the caller leaves uncommitted.
    private func reset(_ mortise: ServerHarness, to password: String = Self.reset) async throws -> String {
        let bob = try await mortise.addMember("bob@example.org", "member")
        let patch: JSONValue = ["password": .string(password)]
        let patched = try await mortise.api.send("PATCH", bob.path, patch, as: mortise.adminToken)
        #expect(patched.status == 200)
        return """
            UPDATE control.users SET password_hash = (SELECT password_hash FROM control.users WHERE email = 'bob@example.org')
            WHERE email = 'ada@example.org'
            """
    }

    private static let endSessions = "UPDATE control.sessions SET ended_at = now(), end_reason = 'password_changed'"

    // The attack: a thief signs in repeatedly with the stolen password, so that one sign-in overlaps the reset.
    @Test func `a sign-in with the old password fails if a reset commits meanwhile`() async throws {
        try await withMortise { mortise in
            _ = try await mortise.addMember("ada@example.org", "admin")
            let reset = try await self.reset(mortise)
            let answer = try await mortise.during("\(reset); \(Self.endSessions)") {
                try await mortise.trySignIn("ada@example.org")
            }
            #expect(answer.status == 401, "\(answer)")
            let alive = try await mortise.rows(
                mortise.installation.control,
                "SELECT FROM control.sessions WHERE ended_at IS NULL"
            )
            #expect(alive.isEmpty)
            _ = try await mortise.signIn("ada@example.org", Self.reset)
        }
    }

    @Test func `a sign-in succeeds if the hash of the same password is replaced meanwhile`() async throws {
        try await withMortise { mortise in
            _ = try await mortise.addMember("ada@example.org", "admin")
            let renewal = try await reset(mortise, to: ServerHarness.memberPassword)
            let answer = try await mortise.during(renewal) { try await mortise.trySignIn("ada@example.org") }
            #expect(answer.status == 201, "\(answer)")
        }
    }

    // The attack: a thief with a session and the old password changes the password during its reset.
    @Test func `a change of password fails if a reset commits meanwhile`() async throws {
        try await withMortise { mortise in
            let thief = try await mortise.session("ada@example.org", "admin")
            let reset = try await self.reset(mortise)
            let answer = try await mortise.during("\(reset); \(Self.endSessions)") {
                let body: JSONValue = [
                    "current_password": .string(ServerHarness.memberPassword), "new_password": "known to the thief",
                ]
                return try await mortise.api.send("PUT", "/v1/me/password", body, as: thief)
            }
            #expect(answer.status == 401, "\(answer)")
            #expect(try await mortise.trySignIn("ada@example.org", "known to the thief").status == 401)
            _ = try await mortise.signIn("ada@example.org", Self.reset)
        }
    }

    // The attack: a thief has the refresh token of a removed user, and the user is added again later.
    @Test func `a removal ends the user's sessions in that organization for good`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            _ = try await mortise.makeOrganization("Acme")
            _ = try await mortise.addMember(
                "eve@example.org",
                "member",
                organization: "acme",
                as: mortise.operatorToken
            )
            let mine = try await mortise.makeWorkspace("Mine")
            let wide = try await mortise.addMember("eve@example.org", "admin", as: mortise.operatorToken)
            let narrow = try await mortise.addMember("eve@example.org", "admin", workspace: mine)
            let answer = try await api.post(
                "/v1/sessions",
                [
                    "email": "eve@example.org", "password": .string(ServerHarness.memberPassword),
                    "organization": "default",
                ],
                as: nil
            )
            let (access, refresh) = (try answer.string("access_token"), try answer.string("refresh_token"))
            let elsewhere = try await mortise.signIn("eve@example.org").access
            // The user still has another role, so the session continues with that role.
            #expect(try await api.send("DELETE", wide.path, as: mortise.adminToken).status == 204)
            #expect(try await api.get("/v1/me", as: access).status == 200)
            #expect(try await api.send("DELETE", narrow.path, as: mortise.adminToken).status == 204)
            let ends = try await mortise.rows(
                mortise.installation.control,
                "SELECT end_reason FROM control.sessions WHERE ended_at IS NOT NULL"
            )
            #expect(try ends.map { try $0.decode(0, as: String.self) } == ["removed"])
            _ = try await mortise.addMember("eve@example.org", "admin", as: mortise.operatorToken)
            #expect(try await api.get("/v1/me", as: access).status == 401)
            let body: JSONValue = ["refresh_token": .string(refresh)]
            #expect(try await api.post("/v1/sessions/refresh", body, as: nil).status == 401)
            #expect(try await api.get("/v1/me", as: elsewhere).status == 200)
        }
    }

    // The same for a role that was deleted with its workspace.
    @Test func `a new role does not restore an old session`() async throws {
        try await withMortise { mortise in
            _ = try await mortise.makeOrganization("Acme")
            let person = try await mortise.addMember("eve@example.org", "admin")
            let session = try await mortise.signIn("eve@example.org")
            _ = try await mortise.addMember(
                "eve@example.org",
                "member",
                organization: "acme",
                as: mortise.operatorToken
            )
            try await mortise.script(
                mortise.installation.control,
                "DELETE FROM control.members WHERE id = '\(person.id)'"
            )
            _ = try await mortise.addMember("eve@example.org", "admin", as: mortise.operatorToken)
            #expect(try await mortise.api.get("/v1/me", as: session.access).status == 401)
        }
    }

    // The race: one organization removes a user's last role while an operator gives the user a role in another
    // organization.
    @Test func `a role that is given during the removal of the user's last role is kept`() async throws {
        try await withMortise { mortise in
            let acme = try await mortise.makeOrganization("Acme")
            let person = try await mortise.addMember("eve@example.org", "admin")
            let given = """
                INSERT INTO control.members (id, user_id, organization_id, role)
                VALUES (gen_random_uuid(), '\(person.userID)', '\(acme.id)', 'admin')
                """
            let removed = try await mortise.during(given) {
                try await mortise.api.send("DELETE", person.path, as: mortise.adminToken)
            }
            #expect(removed.status == 204, "\(removed)")
            let list = try await mortise.api.get("/v1/organizations/acme/members", as: acme.token)
            #expect(list["data"]?.array?.compactMap { $0["user"]?["id"]?.string } == [person.userID])
        }
    }

    @Test func `a user who is deleted during a concurrent addition is added as a new user`() async throws {
        try await withMortise { mortise in
            _ = try await mortise.makeOrganization("Acme")
            let person = try await mortise.addMember("eve@example.org", "admin")
            let added = try await mortise.during("DELETE FROM control.users WHERE id = '\(person.userID)'") {
                let body: JSONValue = ["email": "eve@example.org", "role": "admin"]
                return try await mortise.api.post("/v1/organizations/acme/members", body, as: mortise.operatorToken)
            }
            #expect(added.status == 201, "\(added)")
            #expect(added["user", "has_password"] == false)
        }
    }

    // A refresh and another transaction that lock a session and its token in opposite orders would deadlock, and
    // PostgreSQL would abort one of them.
    @Test func `a refresh locks the session before its token`() async throws {
        try await withMortise { mortise in
            _ = try await mortise.addMember("ada@example.org", "admin")
            let session = try await mortise.trySignIn("ada@example.org")
            let body: JSONValue = ["refresh_token": .string(try session.string("refresh_token"))]
            try await mortise.withConnection(mortise.installation.control) { holder in
                try await holder.script("BEGIN; SELECT FROM control.sessions FOR UPDATE")
                async let refreshed = mortise.api.post("/v1/sessions/refresh", body, as: nil)
                try await eventually("the refresh waits") {
                    let waiting =
                        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                    return try await !mortise.rows(mortise.installation.control, waiting).isEmpty
                }
                try await holder.script("SELECT FROM control.refresh_tokens FOR UPDATE NOWAIT; COMMIT")
                #expect(try await refreshed.status == 200)
            }
        }
    }

    // The attack: a caller names a membership of another organization.
    @Test func `a membership can be changed and removed only through its own organization`() async throws {
        try await withMortise { mortise in
            let acme = try #require(UUIDv7.parse(try await mortise.makeOrganization("Acme").id))
            let person = try await mortise.addMember("eve@example.org", "admin")
            let id = try #require(UUIDv7.parse(person.id))
            let attribution = Attribution(actor: "test")
            try await mortise.withConnection(mortise.installation.control) { connection in
                try await connection.auditedTransaction { transaction in
                    let people = PeopleWriter(transaction)
                    let changed = try await people.changeMember(id, organization: acme, role: .auditor, by: attribution)
                    #expect(changed == nil)
                    try await people.deleteMember(
                        id,
                        organization: acme,
                        clientKeys: (fate: "keep", count: 0),
                        by: attribution
                    )
                }
            }
            #expect(try await mortise.api.get(person.path, as: mortise.adminToken)["role"] == "admin")
        }
    }
}
