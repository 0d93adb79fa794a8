import JSON
import Keys
import Postgres
import Server
import ServerTestSupport
import Tenancy
import TestSupport
import Testing

/// Another server completes the interrupted work of a crashed server without a restart.
@Suite(.hangLimit) struct UnfinishedWorkspaceTests {
    /// Creates a workspace, and changes its row to the state in which a crash leaves it.
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
    func `a repeated deletion completes, and an unfinished workspace can be deleted`(_ change: String)
        async throws
    {
        try await withMortise(configure: { $0.repairInterval = .seconds(3600) }) { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let id = try await interrupt(change, mortise)
            #expect(try await databases(mortise) == 2)
            #expect(try await api.send("DELETE", "/v1/workspaces/\(id)", as: admin).status == 204)
            #expect(try await databases(mortise) == 1)
            #expect(try await api.send("DELETE", "/v1/workspaces/\(id)", as: admin).status == 404)
            // The slug can be used again.
            let again = try await api.post("/v1/organizations/default/workspaces", ["name": "Shop"], as: admin)
            #expect(again.status == 201)
        }
    }

    // The SDK repeats a deletion whose answer was lost, and cannot archive what is not finished.
    @Test(arguments: ["state = 'deleting'", "state = 'creating'"])
    func `Fluxbase's hard deletion goes on after an interruption, and deletes an unfinished tenant`(_ change: String)
        async throws
    {
        try await withMortise(configure: { $0.repairInterval = .seconds(3600) }) { mortise in
            let id = try await interrupt(change, mortise)
            let path = "/admin/tenants/\(id)?hard=true"
            // The attack: a stranger, or a key that cannot change workspaces, finishes the deletion.
            let stranger = try await mortise.makeOrganization("Acme")
            let foreign = FluxbaseClient(mortise, key: stranger.token)
            #expect(try await foreign.send("DELETE", path).status == 404)
            let reader = FluxbaseClient(mortise, key: try await mortise.makeAdmin(["keys:read"]).token)
            #expect(try await reader.send("DELETE", path).status == 403)
            #expect(try await databases(mortise) == 3)

            let deleted = try await mortise.fluxbase.send("DELETE", path)
            #expect(deleted.status == 204, "\(deleted)")
            #expect(try await databases(mortise) == 2)
            #expect(try await mortise.fluxbase.send("DELETE", path).status == 404)
        }
    }

    // The risk: Boltz's SDK retries a 503 without an Idempotency-Key, and each retry would create another workspace.
    @Test func `a client is told not to retry a recorded but unfinished creation without an Idempotency-Key`()
        async throws
    {
        try await withMortise(configure: { $0.repairInterval = .seconds(3600) }) { mortise in
            try await mortise.script(
                mortise.installation.control,
                """
                CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE EXCEPTION 'going down' USING ERRCODE = '57P01'; END $$;
                CREATE TRIGGER refuse BEFORE UPDATE ON control.workspaces FOR EACH ROW EXECUTE FUNCTION public.refuse();
                """
            )
            let body: JSONValue = ["name": "Customer 7"]
            let answer = try await mortise.boltz("POST", ServerHarness.boltzWorkspaces, body, as: mortise.adminToken)
            #expect(answer.status == 503)
            #expect(answer.headers["x-should-retry"] == "false" && answer.headers["retry-after"] == nil)
            let count = "SELECT 1 FROM control.workspaces WHERE name = 'Customer 7'"
            #expect(try await mortise.rows(mortise.installation.control, count).count == 1)

            // A client of the native surface gets no Retry-After either.
            let path = "/v1/organizations/default/workspaces"
            let native = try await mortise.api.post(path, ["name": "Customer 8"], as: mortise.adminToken)
            #expect(native.status == 503 && native.headers["retry-after"] == nil, "\(native)")

            // And neither does an operator, whose repetition would create another organization.
            let organization = try await mortise.api.post(
                "/v1/organizations",
                ["name": "Acme"],
                as: mortise.operatorToken
            )
            #expect(organization.status == 503 && organization.headers["retry-after"] == nil, "\(organization)")
            let recorded = try await mortise.api.get("/v1/organizations/acme", as: mortise.operatorToken)
            #expect(recorded.status == 200)

            // A duplicate request with the same Idempotency-Key is told to retry and gets the same workspace.
            let idempotencyKey = [("Idempotency-Key", "customer-7")]
            for _ in 0..<2 {
                let answer = try await mortise.boltz(
                    "POST",
                    ServerHarness.boltzWorkspaces,
                    body,
                    as: mortise.adminToken,
                    headers: idempotencyKey
                )
                #expect(answer.status == 503)
                #expect(answer.headers["retry-after"] != nil)
            }
            #expect(try await mortise.rows(mortise.installation.control, count).count == 2)
            try await mortise.script(mortise.installation.control, "DROP TRIGGER refuse ON control.workspaces")
            let made = try await mortise.boltz(
                "POST",
                ServerHarness.boltzWorkspaces,
                body,
                as: mortise.adminToken,
                headers: idempotencyKey
            )
            #expect(made.status == 200, "\(made)")
            #expect(try await mortise.rows(mortise.installation.control, count).count == 2)
        }
    }

    @Test func `a workspace in deletion supports only its deletion`() async throws {
        try await withMortise(configure: { $0.repairInterval = .seconds(3600) }) { mortise in
            let id = try await interrupt("state = 'deleting'", mortise)
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
            #expect(try await databases(mortise) == 3)
        }
    }

    // In the worst case a search comes just before the change counts as interrupted. The rest of the 30 s is left for the work itself.
    @Test func `the default settings leave no workspace unfinished for more than 30 s`() throws {
        var generator = SystemRandomNumberGenerator()
        let id = try #require(SecretID("a"))
        let defaults = ServerConfiguration(
            database: try PostgresConfiguration("host=localhost"),
            secrets: try #require(SecretsFile.random(id: id, using: &generator)),
            version: "1.0.0-test"
        )
        #expect(defaults.repairRest + defaults.repairInterval <= .seconds(20))
    }

    @Test func `a server completes creations, changes and deletions of crashed servers`() async throws {
        try await withMortise(configure: { $0.repairInterval = .milliseconds(50) }) { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            var id = try await interrupt("state = 'creating'", mortise)
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
            id = try await interrupt("state = 'deleting'", mortise)
            try await eventually("it is gone") { try await databases(mortise) == 1 }
        }
    }
}
