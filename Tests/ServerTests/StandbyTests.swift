import JSON
import LocalPostgres
import Postgres
import Server
import ServerTestSupport
import TestSupport
import Testing

/// Whatever an answer calls done is on the synchronous standby.
@Suite(.hangLimit) struct StandbyTests {
    private struct Change {
        let method: String
        let path: String
        let body: JSONValue?

        init(_ method: String, _ path: String, _ body: JSONValue? = nil) {
            self.method = method
            self.path = path
            self.body = body
        }
    }

    private func status(_ change: Change, _ number: Int, _ mortise: ServerHarness) async throws -> Int {
        let isOperators = change.path.hasPrefix("/v1/organizations") && change.method == "POST"
        return try await mortise.api
            .send(
                change.method,
                change.path,
                change.body,
                as: isOperators ? mortise.operatorToken : mortise.adminToken,
                headers: change.method == "POST" ? [("Idempotency-Key", "change-\(number)")] : []
            )
            .status
    }

    // With the primary lost, an answer that was given without the standby is a revoked key that works again.
    @Test func `no change is called done while its standby is gone, however often it is asked for`() async throws {
        try await withReplicatedServer { server in
            try await withMortise(of: try TestInstallation(server.primary)) { mortise in
                let workspaces = "/v1/organizations/default/workspaces"
                let keys = ServerHarness.keys()
                var paths: [String] = []
                for name in ["revoked", "disabled", "changed", "rotated", "good"] {
                    paths.append(try await mortise.makeKey(name).path)
                }
                let good = try await mortise.makeKey("verified")
                for name in ["One", "Two"] {
                    let made = try await mortise.api.post(workspaces, ["name": .string(name)], as: mortise.adminToken)
                    #expect(made.status == 201)
                }
                let changes = [
                    Change("POST", keys, ["name": "new"]), Change("POST", "\(paths[0])/revoke", [:]),
                    Change("POST", "\(paths[1])/disable"), Change("PATCH", paths[2], ["name": "other"]),
                    Change("POST", "\(paths[3])/rotate", [:]), Change("POST", workspaces, ["name": "New"]),
                    Change("PATCH", "/v1/workspaces/one", ["name": "Uno"]),
                    Change("POST", "/v1/workspaces/one/suspend"),
                    Change("POST", "/v1/organizations", ["name": "Acme"]),
                ]
                await server.standbyProcess.stop()
                try await server.cancellingWaits {
                    // Each change twice: a repeated request finds it done, and must not confirm what no standby has.
                    for _ in 0..<2 {
                        for (number, change) in changes.enumerated() {
                            let found = try await status(change, number, mortise)
                            #expect(found == 503, "\(change.method) \(change.path)")
                        }
                    }
                    // The node cannot know if the standby was promoted and has other keys by now.
                    try await eventually("verifications are refused") {
                        let answer = try await mortise.verify(good.token)
                        return answer.status == 503 && answer.headers["retry-after"] != nil
                    }
                    try await eventually("readiness notices") {
                        try await mortise.api.get("/readyz", as: nil).status == 503
                    }
                    try await mortise.expectCause("standby")
                }
                try await server.standbyProcess.start()
                try await server.waitForStandby()
                // The node renews its lease in a moment, and authenticates nobody before.
                try await eventually("verifications are accepted again") {
                    try await mortise.verify(good.token).code == "valid"
                }
                for (number, change) in changes.enumerated() {
                    let found = try await status(change, number, mortise)
                    #expect((200...201).contains(found), "\(change.method) \(change.path): \(found)")
                }
                try await server.primaryProcess.kill9()
                try await server.promoteStandby()
                let control = try await server.standby(database: try #require(mortise.installation.control.database))
                let suspended = try await mortise.rows(
                    control,
                    "SELECT 1 FROM control.workspaces WHERE slug = 'one' AND state = 'suspended'"
                )
                #expect(suspended.count == 1)
                let workspace = try await mortise.rows(
                    control,
                    """
                    SELECT w.database FROM control.workspaces w JOIN control.organizations o ON o.id = w.organization_id
                    WHERE w.slug = 'default' AND o.slug = 'default'
                    """
                )
                let database = try await server.standby(database: try workspace[0].decode(0))
                let revoked = try await mortise.rows(
                    database,
                    "SELECT 1 FROM auth.service_keys WHERE name = 'revoked' AND revoked_at IS NOT NULL"
                )
                #expect(revoked.count == 1)
            }
        }
    }

    // The attack: the first deletion was committed without the standby and answered with 503. A repetition finds no key, and its 404 says
    // that the key is gone. The standby that is promoted has the key. A disabling or a deprecation that finds the key revoked says as much.
    @Test(arguments: [
        ("DELETE FROM auth.service_keys", "DELETE", "", 404),
        ("UPDATE auth.service_keys SET revoked_at = now(), unique_name = NULL", "POST", "/disable", 409),
        ("UPDATE auth.service_keys SET revoked_at = now(), unique_name = NULL", "POST", "/deprecate", 409),
    ])
    func `no key is called gone or revoked while no standby knows it`(
        change: String,
        method: String,
        suffix: String,
        found: Int
    ) async throws {
        try await withReplicatedServer { server in
            try await withMortise(of: try TestInstallation(server.primary)) { mortise in
                let path = try await mortise.makeKey("gone").path + suffix
                let database = try await mortise.workspaceDatabase()
                let status = try await mortise.withConnection(database) { connection in
                    try await connection.script("BEGIN; \(change) WHERE name = 'gone'")
                    let answer = Task { try await mortise.api.send(method, path, as: mortise.adminToken).status }
                    // The fence stands, and the standby has it.
                    try await eventually("the request waits for the key") {
                        try await !mortise.rows(database, Self.lockWaits).isEmpty
                    }
                    await server.standbyProcess.stop()
                    return try await server.cancellingWaits {
                        // The commit of this session waits for nothing, and the standby will never have it if the primary is lost now.
                        try await connection.script("COMMIT")
                        return try await answer.value
                    }
                }
                #expect(status == 503)
                try await server.standbyProcess.start()
                try await server.waitForStandby()
                try await eventually("the node has its lease again") {
                    try await mortise.api.send(method, path, as: mortise.adminToken).status != 503
                }
                let repeated = try await mortise.api.send(method, path, as: mortise.adminToken).status
                #expect(repeated == found)
            }
        }
    }

    // The attack: as above. The keys of a subject that was revoked are no keys that a repetition would have to revoke, so it said 200.
    @Test func `no subject's keys are called revoked while no standby knows it`() async throws {
        try await withReplicatedServer { server in
            try await withMortise(of: try TestInstallation(server.primary)) { mortise in
                _ = try await mortise.makeClientKey("gone", subject: "user_gone")
                let database = try await mortise.workspaceDatabase()
                let retire = {
                    try await mortise.api
                        .post(
                            "/v1/workspaces/default/retire-subject",
                            ["subject": "user_gone", "client_keys": "revoke"],
                            as: mortise.adminToken
                        )
                        .status
                }
                let status = try await mortise.withConnection(database) { connection in
                    // An own session of the installation's owner, whose commit waits for nobody.
                    try await connection.script("SET synchronous_commit = off")
                    await server.standbyProcess.stop()
                    return try await server.cancellingWaits {
                        try await connection.script(
                            "UPDATE auth.client_keys SET revoked_at = now() WHERE name = 'gone'"
                        )
                        return try await retire()
                    }
                }
                #expect(status == 503)
                try await server.standbyProcess.start()
                try await server.waitForStandby()
                try await eventually("the repetition is answered") { try await retire() == 200 }
            }
        }
    }

    // The attack: a member is removed after a failover. The node still reaches the old server, where the session is alive.
    @Test func `a session counts only while the node has a lease`() async throws {
        try await withReplicatedServer { server in
            try await withMortise(of: try TestInstallation(server.primary)) { mortise in
                let session = try await mortise.session("ada@example.org", "admin")
                #expect(try await mortise.api.get("/v1/me", as: session).status == 200)
                await server.standbyProcess.stop()
                try await server.cancellingWaits {
                    try await eventually("the session is refused without a lease") {
                        let answer = try await mortise.api.get("/v1/me", as: session)
                        return answer.status == 503 && answer.headers["retry-after"] != nil
                    }
                }
                try await server.standbyProcess.start()
                try await server.waitForStandby()
                try await eventually("the session counts again") {
                    try await mortise.api.get("/v1/me", as: session).status == 200
                }
            }
        }
    }

    // The attack: as above, with the session of a member. What was removed is back with the standby.
    @Test func `no member and no webhook is called gone while no standby knows it`() async throws {
        try await withReplicatedServer { server in
            try await withMortise(of: try TestInstallation(server.primary)) { mortise in
                let manager = try await mortise.session("manager@example.org", "admin")
                let member = try await mortise.addMember("gone@example.org", "auditor")
                let webhook = "/v1/organizations/default/webhooks/00000000-0000-7000-8000-000000000001"
                let paths = [member.path, "\(member.path)/sessions", webhook]
                await server.standbyProcess.stop()
                try await server.cancellingWaits {
                    try await mortise.withConnection(mortise.installation.control) { connection in
                        try await connection.script("DELETE FROM control.members WHERE id = '\(member.id)'")
                    }
                    for path in paths {
                        let answer = try await mortise.api.send("DELETE", path, as: manager)
                        #expect(answer.status == 503, "\(answer)")
                    }
                }
                try await server.standbyProcess.start()
                try await server.waitForStandby()
                for path in paths {
                    try await eventually("the repetition is answered") {
                        try await mortise.api.send("DELETE", path, as: manager).status == 404
                    }
                }
            }
        }
    }

    private static let lockWaits =
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    // The default of this server is that a commit waits for nothing.
    @Test func `whatever was acknowledged survives the sudden loss of the primary`() async throws {
        try await withReplicatedServer { server in
            try await withMortise(of: try TestInstallation(server.primary)) { mortise in
                let database = try #require(try await mortise.workspaceDatabase().database)
                var ids: [String] = []
                for number in 0..<20 { ids.append(try await mortise.makeKey("key \(number)").id) }
                let last = try await mortise.makeKey("last")
                #expect(try await mortise.api.post("\(last.path)/revoke", [:], as: mortise.adminToken).status == 200)
                try await server.primaryProcess.kill9()
                try await server.promoteStandby()
                let rows = try await mortise.rows(
                    try await server.standby(database: database),
                    "SELECT id::text, revoked_at IS NOT NULL FROM auth.service_keys"
                )
                let found = try rows.map { try $0.decode((String, Bool).self) }
                for id in ids { #expect(found.contains { $0.0 == id }) }
                #expect(found.contains { $0.0 == last.id && $0.1 })
            }
        }
    }
}
