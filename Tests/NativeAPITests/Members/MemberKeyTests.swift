import JSON
import Postgres
import Server
import ServerTestSupport
import Service
import TestSupport
import Testing

/// The client keys of people who are gone.
@Suite(.hangLimit) struct MemberKeyTests {
    private static let clients = "client-keys"

    /// A member, a session of the member, and a key in each of some workspaces.
    private func person(
        _ mortise: ServerHarness,
        _ email: String,
        _ workspaces: [String],
        in workspace: String? = nil
    ) async throws -> (ServerHarness.Person, [String]) {
        let person = try await mortise.addMember(email, "member", workspace: workspace)
        let session = try await mortise.signIn(email).access
        var tokens: [String] = []
        for place in workspaces {
            let made = try await mortise.api.post(
                "/v1/workspaces/\(place)/client-keys",
                ["name": "k", "subject": .string(person.userID)],
                as: session
            )
            tokens.append(try made.string("token"))
        }
        return (person, tokens)
    }

    // The attack: somebody who was dismissed goes on with the key that nobody thought of.
    @Test func `with a member their client keys go, as the request says`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let other = try await mortise.makeWorkspace("Other")
            let bystander = try await person(mortise, "bystander@example.org", ["default"])
            for (query, status, verdict) in [
                ("", 204, "disabled"), ("?client_keys=disable", 200, "disabled"),
                ("?client_keys=revoke", 200, "revoked"),
                ("?client_keys=keep", 200, "valid"),
            ] {
                let (member, tokens) = try await person(mortise, "m@example.org", ["default", other])
                let removed = try await api.send("DELETE", member.path + query, as: mortise.adminToken)
                #expect(removed.status == status, "\(query): \(removed)")
                if status == 200 { #expect(removed["client_key_count"] == 2, "\(removed)") }
                for token in tokens { #expect(try await mortise.verdict(token) == verdict, "\(query)") }
                let events = try await api.get(
                    "/v1/organizations/default/events?type=member.removed&limit=1",
                    as: mortise.adminToken
                )
                let changes = events["data"]?.array?.first?["changes"]
                #expect(changes?["client_key_count"] == 2, "\(events)")
            }
            #expect(try await mortise.verdict(bystander.1[0]) == "valid")
        }
    }

    // The attack: somebody who was dismissed waits until an archived workspace is restored.
    @Test func `a restored workspace brings no key of a removed member back`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let other = try await mortise.makeWorkspace("Other")
            let (member, tokens) = try await person(mortise, "m@example.org", [other])
            #expect(try await api.post("/v1/workspaces/\(other)/archive", as: mortise.adminToken).status == 200)
            let removed = try await api.send("DELETE", member.path, as: mortise.adminToken)
            #expect(removed.status == 204, "\(removed)")
            #expect(try await api.post("/v1/workspaces/\(other)/restore", as: mortise.adminToken)["state"] == "active")
            #expect(try await mortise.verdict(tokens[0]) == "disabled")
        }
    }

    // A role elsewhere keeps the keys there, and what was disabled stays so for a user who comes back.
    @Test func `keys go where the user can no longer enter, and only administration brings them back`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let other = try await mortise.makeWorkspace("Other")
            let (wide, tokens) = try await person(mortise, "m@example.org", ["default", other])
            _ = try await mortise.addMember("m@example.org", "member", workspace: other)
            let removed = try await api.send("DELETE", "\(wide.path)?client_keys=disable", as: mortise.adminToken)
            #expect(removed["client_key_count"] == 1, "\(removed)")
            #expect(try await mortise.verdict(tokens[0]) == "disabled")
            #expect(try await mortise.verdict(tokens[1]) == "valid")
            _ = try await mortise.addMember("m@example.org", "member")
            let session = try await mortise.signIn("m@example.org").access
            let list = try await api.get("/v1/workspaces/default/client-keys", as: session)
            let path = "/v1/workspaces/default/client-keys/\(try #require(list["data"]?.array?.first?["id"]?.string))"
            #expect(try await api.post("\(path)/enable", as: session).status == 403)
            #expect(try await api.post("\(path)/enable", as: mortise.adminToken).status == 200)
        }
    }

    // The attack: somebody who expects to lose a role disables a key, gets a role again later, and enables the key.
    @Test func `a key that a member had disabled comes back only by administration, too`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let other = try await mortise.makeWorkspace("Other")
            let (wide, tokens) = try await person(mortise, "m@example.org", ["default"])
            _ = try await mortise.addMember("m@example.org", "member", workspace: other)
            let session = try await mortise.signIn("m@example.org").access
            let list = try await api.get("/v1/workspaces/default/client-keys", as: session)
            let path = "/v1/workspaces/default/client-keys/\(try #require(list["data"]?.array?.first?["id"]?.string))"
            #expect(try await api.post("\(path)/disable", as: session).status == 200)
            let removed = try await api.send("DELETE", "\(wide.path)?client_keys=disable", as: mortise.adminToken)
            #expect(removed.status == 200 && removed["client_key_count"] == 0, "\(removed)")
            _ = try await mortise.addMember("m@example.org", "member")
            let back = try await mortise.signIn("m@example.org").access
            #expect(try await api.post("\(path)/enable", as: back).status == 403)
            #expect(try await mortise.verdict(tokens[0]) == "disabled")
            #expect(try await api.post("\(path)/enable", as: mortise.adminToken).status == 200)
        }
    }

    // The fault: each of two removals took the other role for the one that keeps the keys.
    @Test func `two removals at once leave no key where the user can no longer enter`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let other = try await mortise.makeWorkspace("Other")
            let (wide, tokens) = try await person(mortise, "m@example.org", ["default", other])
            let narrow = try await mortise.addMember("m@example.org", "member", workspace: other)
            async let one = api.send("DELETE", wide.path, as: mortise.adminToken)
            async let two = api.send("DELETE", narrow.path, as: mortise.adminToken)
            #expect(try await one.status == 204)
            #expect(try await two.status == 204)
            for token in tokens { #expect(try await mortise.verdict(token) == "disabled") }
        }
    }

    // The attack: somebody who is being dismissed asks for one more key, and the request ends after the removal.
    @Test func `a key whose creation is under way when its member is removed does not work afterwards`() async throws {
        try await withMortise { mortise in
            let member = try await mortise.addMember("m@example.org", "member")
            let session = try await mortise.signIn("m@example.org").access
            let database = try await mortise.workspaceDatabase()
            try await mortise.withConnection(database) { blocker in
                try await blocker.script("BEGIN; SELECT FROM auth.workspace FOR UPDATE")
                async let made = Self.createOwn(mortise, member, session)
                try await mortise.waiters(1, "the creation waits", on: database)
                async let removed = mortise.api.send("DELETE", member.path, as: mortise.adminToken)
                try await mortise.waiters(2, "the removal waits for the creation", on: database)
                try await blocker.script("COMMIT")
                let (answer, removal) = try await (made, removed)
                #expect(removal.status == 204, "\(removal)")
                #expect(answer.status == 201, "\(answer)")
                #expect(try await mortise.verdict(try answer.string("token")) == "disabled")
            }
        }
    }

    // The member is gone, and the node was killed, or the workspace's database was away, before the last keys were changed.
    @Test func `a removal that was interrupted is finished by a repetition, or by any node`() async throws {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let database = try await mortise.workspaceDatabase()
            for isRepeated in [true, false] {
                let (member, tokens) = try await person(mortise, "m\(isRepeated)@example.org", ["default"])
                #expect(try await api.send("DELETE", "\(member.path)?client_keys=keep", as: admin).status == 200)
                #expect(try await mortise.verdict(tokens[0]) == "valid")
                let id = try #require(member.path.split(separator: "/").last)
                try await mortise.script(
                    mortise.installation.control,
                    """
                    INSERT INTO control.pending_retirements (membership_id, workspace_id, organization_id, user_id, treatment, due_at)
                    SELECT '\(id)', w.id, w.organization_id, '\(member.userID)', 'disable', now()
                    FROM control.workspaces w WHERE w.slug = 'default'
                    """
                )
                if isRepeated {
                    try await mortise.cutOff(database)
                    #expect(try await api.send("DELETE", member.path, as: admin).status == 503)
                    try await mortise.restore(database)
                    try await eventually("the removal is finished") {
                        try await api.send("DELETE", member.path, as: admin).status == 204
                    }
                } else {
                    await mortise.server.platform.removalRetries.round()
                }
                #expect(try await mortise.verdict(tokens[0]) == "disabled")
                #expect(try await api.send("DELETE", member.path, as: admin).status == 404)
            }
        }
    }

    private static func createOwn(_ mortise: ServerHarness, _ member: ServerHarness.Person, _ session: String)
        async throws -> Answer
    {
        try await mortise.api.post(
            "/v1/workspaces/default/client-keys",
            ["name": "last", "subject": .string(member.userID)],
            as: session
        )
    }

    @Test func `a workspace that cannot be reached keeps the member, unless the keys are kept`() async throws {
        try await withMortise { mortise in
            let (member, _) = try await person(mortise, "m@example.org", ["default"])
            let database = try await mortise.workspaceDatabase()
            try await mortise.cutOff(database)
            let refused = try await mortise.api.send("DELETE", member.path, as: mortise.adminToken)
            #expect(refused.status == 503, "\(refused)")
            #expect(try await mortise.api.get(member.path, as: mortise.adminToken).status == 200)
            let kept = try await mortise.api.send("DELETE", "\(member.path)?client_keys=keep", as: mortise.adminToken)
            #expect(kept.status == 200, "\(kept)")
            #expect(try await mortise.api.get(member.path, as: mortise.adminToken).status == 404)
            try await mortise.restore(database)
        }
    }

    // The application's own user is gone, and only the application knows.
    @Test func `the keys of a subject that a session issuer no longer knows are ended by one call`() async throws {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let path = "/v1/workspaces/default/retire-subject"
            let gone = try await mortise.makeClientKey("one", subject: "user_gone")
            let two = try await mortise.makeClientKey("two", subject: "user_gone")
            let here = try await mortise.makeClientKey("here", subject: "user_here")
            _ = try await api.post("\(two.path)/disable", as: admin)
            let counted = try await api.post(path, ["subject": "user_gone", "client_keys": "keep"], as: admin)
            #expect(counted["client_key_count"] == 1, "\(counted)")
            #expect(try await mortise.verdict(gone.token) == "valid")
            let disabled = try await api.post(path, ["subject": "user_gone"], as: admin)
            #expect(disabled["client_keys"] == "disable" && disabled["client_key_count"] == 1, "\(disabled)")
            #expect(try await mortise.verdict(gone.token) == "disabled")
            let revoked = try await api.post(path, ["subject": "user_gone", "client_keys": "revoke"], as: admin)
            #expect(revoked["client_key_count"] == 0, "\(revoked)")
            for key in [gone, two] { #expect(try await mortise.verdict(key.token) == "revoked") }
            #expect(try await mortise.verdict(here.token) == "valid")
            let weak = try await mortise.makeAdmin(["keys:read"]).token
            #expect(try await api.post(path, ["subject": "user_here"], as: weak).status == 403)
        }
    }

    @Test func `the keys of a subject are ended by one change, whatever becomes of some of them meanwhile`()
        async throws
    {
        try await withMortise { mortise in
            let revoked = try await mortise.makeClientKey("revoked", subject: "user_gone")
            let deleted = try await mortise.makeClientKey("deleted", subject: "user_gone")
            let rest = [
                try await mortise.makeClientKey("one", subject: "user_gone"),
                try await mortise.makeClientKey("two", subject: "user_gone"),
            ]
            let database = try await mortise.workspaceDatabase()
            try await mortise.withConnection(database) { person in
                try await person.script(
                    """
                    BEGIN;
                    UPDATE auth.client_keys SET revoked_at = now(), revoked_by = 'platform' WHERE id = '\(revoked.id)';
                    DELETE FROM auth.client_keys WHERE id = '\(deleted.id)'
                    """
                )
                async let retired = Self.retire(mortise)
                try await mortise.waiters(1, "the change waits for the other one", on: database)
                try await person.script("COMMIT")
                let answer = try await retired
                #expect(answer.status == 200 && answer["client_key_count"] == 4, "\(answer)")
            }
            let status = try await mortise.api.get(revoked.path, as: mortise.adminToken)["status"]
            #expect(status == "revoked")
            var times: Set<String> = []
            for key in rest {
                #expect(try await mortise.verdict(key.token) == "disabled")
                let events = try await mortise.api.get("\(key.path)/events", as: mortise.adminToken)
                let stops = (events["data"]?.array ?? []).filter { $0["type"] == "disabled" }
                #expect(stops.count == 1)
                times.formUnion(stops.compactMap { $0["occurred_at"]?.string })
            }
            #expect(times.count == 1)
        }
    }

    private static func retire(_ mortise: ServerHarness) async throws -> Answer {
        try await mortise.api.post(
            "/v1/workspaces/default/retire-subject",
            ["subject": "user_gone"],
            as: mortise.adminToken
        )
    }
}
