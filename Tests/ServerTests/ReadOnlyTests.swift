import JSON
import LocalPostgres
import Postgres
import Server
import ServerTestSupport
import TestSupport
import Testing

/// A server of PostgreSQL that accepts no changes, and one that takes over from another.
@Suite(.hangLimit) struct ReadOnlyTests {
    // An operator, or a failover manager before a switch, sets a primary to be read-only.
    @Test func `on a read-only primary changes say when to come back, and verification goes on`() async throws {
        try await withServer { server, _ in
            try await withMortise(of: try TestInstallation(server)) { mortise in
                let key = try await mortise.makeKey()
                let revoked = try await mortise.makeKey("revoked")
                let answer = try await mortise.api.post("\(revoked.path)/revoke", [:], as: mortise.adminToken)
                #expect(answer.status == 200)
                let member = try await mortise.addMember("member@example.org", "auditor")
                let signIn: JSONValue = [
                    "email": .string(member.email), "password": .string(ServerHarness.memberPassword),
                ]
                let superuser = server.configuration()
                try await mortise.script(superuser, "ALTER SYSTEM SET default_transaction_read_only = on")
                try await mortise.script(superuser, "SELECT pg_reload_conf()")
                try await eventually("the server is read-only") {
                    try await mortise.rows(superuser, "SHOW default_transaction_read_only")[0].decode(0) == "on"
                }
                let changes: [(String, String, JSONValue?)] = [
                    ("POST", ServerHarness.keys(), ["name": "x"]), ("POST", "\(key.path)/revoke", [:]),
                    ("POST", "/v1/organizations/default/workspaces", ["name": "x"]),
                    ("PATCH", "/v1/workspaces/default", ["name": "x"]), ("POST", "/v1/workspaces/default/suspend", nil),
                    ("POST", "/api/v1/client-keys", ["name": "x", "scopes": ["read:x"]]),
                    ("POST", "/clerk/v1/api_keys", ["name": "some", "subject": .string(ServerHarness.user)]),
                    ("POST", "/compute/v1/admin/api-keys", ["name": "x"]),
                    ("POST", "/v1/leaks", ["tokens": [.string(revoked.token)]]),
                    ("POST", "/v1/sessions", signIn), ("POST", "/api/v1/auth/signin", signIn),
                ]
                for (method, path, body) in changes {
                    let answer = try await mortise.api.send(
                        method,
                        path,
                        body,
                        as: mortise.adminToken,
                        headers: [("x-api-key", mortise.adminToken)]
                    )
                    #expect(answer.status == 503, "\(method) \(path): \(answer)")
                    #expect(answer.headers["retry-after"] != nil, "\(method) \(path)")
                }
                for _ in 0..<10 {
                    let answer = try await mortise.api.post(ServerHarness.keys(), ["name": "x"], as: mortise.adminToken)
                    #expect(answer["detail"]?.string?.contains("accepts no changes") == true, "\(answer)")
                }
                try await mortise.expectCause("25006")
                #expect(try await mortise.verdict(key.token) == "valid")
                #expect(try await mortise.verdict(revoked.token) == "revoked")
                #expect(try await mortise.api.get(ServerHarness.keys(), as: mortise.adminToken).status == 200)
                let ready = try await mortise.api.get("/readyz", as: nil)
                #expect(ready.status == 200 && ready.text.contains("set to be read-only"), "\(ready)")
                try await mortise.withConnection(superuser) { connection in
                    try await connection.script("SET default_transaction_read_only = off")
                    try await connection.script("ALTER SYSTEM RESET default_transaction_read_only")
                }
                try await mortise.script(superuser, "SELECT pg_reload_conf()")
                try await eventually("changes are accepted again") {
                    try await mortise.api.post("\(key.path)/revoke", [:], as: mortise.adminToken).status == 200
                }
            }
        }
    }

    @Test(arguments: [nil, "read-write"])
    func `with both hosts in its URL, a server goes on with a promoted standby`(_ attributes: String?) async throws {
        try await withReplicatedServer { server in
            let standby = try await server.standby().parameters["host"]
            let primary = server.primary.configuration().parameters["host"]
            let hosts = try #require(standby.flatMap { standby in primary.map { "\(standby),\($0)" } })
            let installation = try TestInstallation(server.primary)
            try await withMortise(of: installation) {
                $0.database.parameters["host"] = hosts
                $0.database.parameters["target_session_attrs"] = attributes
            } _: { mortise in
                let key = try await mortise.makeKey()
                #expect(try await mortise.verdict(key.token) == "valid")
                try await server.primaryProcess.kill9()
                try await server.promoteStandby()
                try await eventually("the promoted server is used for look-ups") {
                    try await mortise.verify(key.token).code == "valid"
                }
                try await eventually("and for changes") {
                    try await mortise.api.post("\(key.path)/revoke", [:], as: mortise.adminToken).status == 200
                }
                #expect(try await mortise.verdict(key.token) == "revoked")
            }
        }
    }
}
