import JSON
import Postgres
import Server
import ServerTestSupport
import Tenancy
import TestSupport
import Testing

/// What a node that died has left half done is finished without a restart.
@Suite(.timeLimit(.minutes(5))) struct UnfinishedWorkspaceTests {
    /// Makes a workspace, and then its row as a node leaves it that dies right after having written this.
    private func interrupt(_ change: String, _ mortise: ServerHarness) async throws -> String {
        let made = try await mortise.api.post(
            "/v1/organizations/default/workspaces",
            ["name": "Shop"],
            as: mortise.adminToken
        )
        let id = try made.string("id")
        try await mortise.script(
            mortise.installation.control,
            "UPDATE control.workspaces SET \(change), updated_at = now() - interval '1 hour' WHERE id = '\(id)'"
        )
        return id
    }

    private func databases(_ mortise: ServerHarness) async throws -> Int {
        try await mortise.rows(
            mortise.installation.control,
            "SELECT 1 FROM pg_database WHERE starts_with(datname, '\(mortise.installation.installation.prefix)_w_')"
        )
        .count
    }

    @Test(arguments: ["state = 'deleting'", "state = 'creating'"])
    func `asking again for a deletion goes on with it, and what was never finished can be removed`(_ change: String)
        async throws
    {
        try await withMortise(configure: { $0.repairInterval = .seconds(3600) }) { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let id = try await self.interrupt(change, mortise)
            #expect(try await self.databases(mortise) == 2)
            #expect(try await api.send("DELETE", "/v1/workspaces/\(id)", as: admin).status == 204)
            #expect(try await self.databases(mortise) == 1)
            #expect(try await api.send("DELETE", "/v1/workspaces/\(id)", as: admin).status == 404)
            // Its name is free again.
            let again = try await api.post("/v1/organizations/default/workspaces", ["name": "Shop"], as: admin)
            #expect(again.status == 201)
        }
    }

    @Test func `a workspace that is being deleted is there for nothing but its deletion`() async throws {
        try await withMortise(configure: { $0.repairInterval = .seconds(3600) }) { mortise in
            let id = try await self.interrupt("state = 'deleting'", mortise)
            let path = "/v1/workspaces/\(id)"
            for (method, path) in [
                ("GET", path), ("PATCH", path), ("POST", "\(path)/resume"), ("GET", "\(path)/events"),
            ] {
                let body: JSONValue? = method == "PATCH" ? ["name": "x"] : nil
                #expect(try await mortise.api.send(method, path, body, as: mortise.adminToken).status == 404)
            }
            let stranger = try await mortise.makeOrganization("Acme")
            #expect(try await mortise.api.send("DELETE", path, as: stranger.token).status == 404)
            let reader = try await mortise.makeAdmin(["keys:read"])
            #expect(try await mortise.api.send("DELETE", path, as: reader.token).status == 403)
            #expect(try await self.databases(mortise) == 3)
        }
    }

    @Test func `a server finishes creations, changes and deletions of nodes that are gone`() async throws {
        try await withMortise(configure: { $0.repairInterval = .milliseconds(50) }) { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            var id = try await self.interrupt("state = 'creating'", mortise)
            try await eventually("it is made") {
                try await api.get("/v1/workspaces/\(id)", as: admin)["state"] == "active"
            }
            try await mortise.script(
                mortise.installation.control,
                """
                UPDATE control.workspaces SET target_state = 'suspended', updated_at = now() - interval '1 hour'
                WHERE id = '\(id)'
                """
            )
            try await eventually("it is suspended") {
                try await api.get("/v1/workspaces/\(id)", as: admin)["state"] == "suspended"
            }
            #expect(try await api.post("/v1/workspaces/\(id)/archive", as: admin).status == 200)
            #expect(try await api.send("DELETE", "/v1/workspaces/\(id)", as: admin).status == 204)
            id = try await self.interrupt("state = 'deleting'", mortise)
            try await eventually("it is gone") { try await self.databases(mortise) == 1 }
        }
    }
}
