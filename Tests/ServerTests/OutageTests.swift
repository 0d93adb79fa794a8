import JSON
import LocalPostgres
import Locks
import Logging
import Postgres
import Server
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing

/// The answers to a load so far.
private final class Tally: Sendable {
    let tokens = Locked<[String]>([])
    let answers = Locked(0)
}

/// An unavailable database affects only requests that need it, and acknowledged changes are durable.
@Suite(.hangLimit) struct OutageTests {
    @Test func `an unavailable workspace database affects that workspace only`() async throws {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            #expect(
                try await api.post("/v1/organizations/default/workspaces", ["name": "Other"], as: admin).status == 201
            )
            let down = try await mortise.makeKey("down")
            let up = try await mortise.makeKey("up", in: "other")
            #expect(try await mortise.verdict(down.token) == "valid")
            #expect(try await mortise.verdict(up.token) == "valid")
            let database = try await mortise.workspaceDatabase()
            try await mortise.cutOff(database)

            let refused = try await mortise.verify(down.token)
            #expect(refused.status == 503)
            #expect(refused.code == "workspace_unavailable")
            #expect(refused.headers["retry-after"] != nil)
            for path in [ServerHarness.keys(), down.path, "\(down.path)/events", "/v1/workspaces/default/events"] {
                let answer = try await api.get(path, as: admin)
                #expect(answer.status == 503, "\(path): \(answer)")
                #expect(answer.code == "workspace_unavailable", "\(path): \(answer)")
            }
            #expect(try await api.post(ServerHarness.keys(), ["name": "x"], as: admin).code == "workspace_unavailable")
            #expect(try await mortise.verdict(up.token) == "valid")
            #expect(try await api.get(ServerHarness.keys("other"), as: admin).status == 200)
            #expect(try await api.get("/readyz", as: nil).status == 200)
            let batch = try await api.post(
                "/v1/verify/batch",
                ["requests": [["token": .string(down.token)], ["token": .string(up.token)]]],
                as: admin
            )
            #expect(batch["verdicts"]?.array?.compactMap { $0["code"]?.string } == ["workspace_unavailable", "valid"])

            try await mortise.restore(database)
            try await eventually("the workspace is back") { try await mortise.verify(down.token).code == "valid" }
        }
    }

    // The fault: an attempt to connect counted as a connection, so the alert of an unreachable control database never fired for a server
    // that hangs or a network that drops everything.
    @Test func `the metrics have no connection to a control database whose server answers nobody`() async throws {
        try await withServer { server, _ in
            try await withMortise(
                of: try TestInstallation(server),
                configure: { configuration in
                    // A look-up goes to the connection of its thread, and each of them would have to notice the silence.
                    configuration.threads = 1
                    configuration.databases.lookupSilence = .seconds(1).onThisMachine
                }
            ) { mortise in
                let control = mortise.server.platform.databases.control
                func isConnected(_ number: Int) async throws -> Bool {
                    try await mortise.api.get("/metrics", as: nil).text
                        .contains("\nmortise_control_lookups_connected \(number)")
                }
                try await control.probe()
                #expect(try await isConnected(1))
                try await server.freezing {
                    let asked = Task { try? await control.probe() }
                    try await eventually("the connection counts no more") { try await isConnected(0) }
                    // Its replacement is under way, for as long as the deadline of a connection.
                    try await eventually("the node connects again") { control.lookups.isConnected }
                    #expect(try await isConnected(0))
                    asked.cancel()
                    _ = await asked.value
                }
                try await eventually("the connection is back") {
                    _ = try? await control.probe()
                    return try await isConnected(1)
                }
            }
        }
    }

    // The database and the server end a slow statement at about the same time, and the database can be first.
    @Test func `a slow workspace database affects that workspace only, also if the database ends the statement`()
        async throws
    {
        try await withMortise { mortise in
            try await mortise.inWorkspace(
                """
                CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE EXCEPTION 'canceling statement due to statement timeout' USING ERRCODE = '57014'; END $$;
                CREATE TRIGGER slow BEFORE INSERT ON auth.service_keys EXECUTE FUNCTION public.slow();
                """
            )
            let answer = try await mortise.api.post(ServerHarness.keys(), ["name": "x"], as: mortise.adminToken)
            #expect(answer.status == 503)
            #expect(answer.code == "workspace_unavailable")
        }
    }

    // A backup was restored in part: "not found" for genuine keys would tell their users to throw them away.
    @Test func `a workspace whose database is missing is unavailable, and the log says so once`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey()
            #expect(try await mortise.verdict(key.token) == "valid")
            let name = try #require(try await mortise.workspaceDatabase().database)
            let database = PostgresConnection.quote(identifier: name)
            try await administer("DROP DATABASE \(database) WITH (FORCE)")
            for _ in 0..<5 {
                let answer = try await mortise.verify(key.token)
                #expect(answer.status == 503)
                #expect(answer.code == "workspace_unavailable")
            }
            let list = try await mortise.api.get(ServerHarness.keys(), as: mortise.adminToken)
            #expect(list.code == "workspace_unavailable")
            let lines = mortise.log.lines.filter { $0.message.contains("the database of a workspace is missing") }
            #expect(lines.map(\.level) == [.error])
        }
    }

    // A database was dropped by hand: nothing could be done with the workspace, and no answer said why.
    @Test
    func `a workspace whose database is missing says so to each change of its state, and an operator can delete it`()
        async throws
    {
        try await withMortise { mortise in
            let (api, token) = (mortise.api, mortise.adminToken)
            let made = try await api.post("/v1/organizations/default/workspaces", ["name": "Lost"], as: token)
            #expect(made.status == 201)
            let path = "/v1/workspaces/\(try made.string("id"))"
            #expect(try await api.send("DELETE", path, as: token).status == 409)
            #expect(try await api.send("DELETE", path, as: mortise.operatorToken).status == 409)
            let database = try #require(try await mortise.workspaceDatabase("lost").database)
            let name = PostgresConnection.quote(identifier: database)
            try await administer("DROP DATABASE \(name) WITH (FORCE)")
            for change in ["suspend", "archive"] {
                let answer = try await api.post("\(path)/\(change)", as: token)
                #expect(answer.status == 503 && answer.code == "workspace_unavailable", "\(change): \(answer)")
                #expect(answer.headers["retry-after"] != nil, "\(change): \(answer)")
                #expect(answer.text.contains("does not exist"), "\(change): \(answer)")
            }
            // An empty one in its place, as in the middle of a restoration by hand.
            try await administer("CREATE DATABASE \(name)")
            let empty = try await api.post("\(path)/suspend", as: token)
            #expect(empty.status == 503 && empty.code == "workspace_unavailable", "\(empty)")
            #expect(empty.text.contains("mortise migrate --workspaces"), "\(empty)")
            #expect(try await api.send("DELETE", path, as: token).status == 409)
            try await administer("DROP DATABASE \(name) WITH (FORCE)")
            // The organization does not know whether an operator is restoring it.
            #expect(try await api.send("DELETE", path, as: token).status == 409)
            let deleted = try await api.send("DELETE", path, as: mortise.operatorToken)
            #expect(deleted.status == 204, "\(deleted)")
            #expect(mortise.log.lines.contains { $0.message.contains("the database of a workspace is missing") })
            #expect(try await api.get(path, as: token).status == 404)
        }
    }

    // The fault: the answer was that of an outage of the whole service, and a client stopped the changes of all other workspaces, too.
    @Test func `a change of the state of a workspace that cannot be reached says so, and other workspaces go on`()
        async throws
    {
        try await withMortise { mortise in
            let (api, token) = (mortise.api, mortise.adminToken)
            let path = "/v1/workspaces/\(try await mortise.makeWorkspace("Shop"))"
            let database = try await mortise.workspaceDatabase("shop")
            try await mortise.cutOff(database)
            for change in ["suspend", "archive", "resume", "restore"] {
                let answer = try await api.post("\(path)/\(change)", as: token)
                #expect(answer.status == 503 && answer.code == "workspace_unavailable", "\(change): \(answer)")
                #expect(answer.headers["retry-after"] != nil, "\(change): \(answer)")
                #expect(answer.text.contains("cannot be reached"), "\(change): \(answer)")
            }
            for (change, state) in [("suspend", "suspended"), ("resume", "active")] {
                let answer = try await api.post("/v1/workspaces/default/\(change)", as: token)
                #expect(answer.status == 200 && answer["state"]?.string == state, "\(change): \(answer)")
            }
            try await mortise.restore(database)
            let suspended = try await api.post("\(path)/suspend", as: token)
            #expect(suspended["state"] == "suspended", "\(suspended)")
        }
    }

    // A new release that starts before the migration of the workspaces uses columns that do not exist yet.
    @Test func `a workspace without the migration is refused alone, and the log names the command to run`() async throws
    {
        try await withMortise { mortise in
            let key = try await mortise.makeKey()
            try await mortise.inWorkspace("ALTER TABLE auth.client_keys RENAME COLUMN subject TO newer")
            let verdict = try await mortise.verify(key.token)
            #expect(verdict.status == 503)
            #expect(verdict.code == "workspace_unavailable")
            for (method, path, body): (String, String, JSONValue?) in [
                ("GET", "/v1/workspaces/default/client-keys", nil),
                ("POST", "/v1/workspaces/default/client-keys", ["name": "x", "subject": "user_1"]),
            ] {
                let answer = try await mortise.api.send(method, path, body, as: mortise.adminToken)
                #expect(answer.status == 503, "\(method): \(answer)")
                #expect(answer.code == "workspace_unavailable")
            }
            let lines = mortise.log.lines.filter { $0.message.contains("mortise migrate --workspaces") }
            #expect(!lines.isEmpty)
            #expect(lines.allSatisfy { !$0.text.contains("SELECT") && !$0.text.contains(key.token) })
        }
    }

    @Test func `every acknowledged creation survives a crash of PostgreSQL, and no request hangs`() async throws {
        try await withServer(settings: ["synchronous_commit": "on"]) { server, local in
            let installation = try TestInstallation(server)
            try await withMortise(of: installation) { mortise in
                let tally = Tally()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for worker in 0..<8 {
                        group.addTask {
                            for number in 0..<60 {
                                let answer = try await mortise.api.post(
                                    ServerHarness.keys(),
                                    ["name": .string("load \(worker) \(number)")],
                                    as: mortise.adminToken
                                )
                                tally.answers.withLock { $0 += 1 }
                                #expect([201, 503].contains(answer.status), "\(answer)")
                                if answer.status == 201 {
                                    let token = try answer.string("token")
                                    tally.tokens.withLock { $0.append(token) }
                                }
                            }
                        }
                    }
                    group.addTask {
                        try await eventually("some keys are made") { tally.tokens.withLock { $0.count } >= 40 }
                        try await local.kill9()
                        try await local.start()
                    }
                    try await group.waitForAll()
                }
                #expect(tally.answers.withLock { $0 } == 480)
                try await eventually("the server is back") {
                    try await mortise.api.get(ServerHarness.keys(), as: mortise.adminToken).status == 200
                }
                let made = tally.tokens.withLock { $0 }
                #expect(made.count >= 40)
                for token in made { #expect(try await mortise.verdict(token) == "valid") }
            }
        }
    }

    @Test func `a server without its control database reports that it is not ready`() async throws {
        try await withServer(settings: ["synchronous_commit": "on"]) { server, local in
            let installation = try TestInstallation(server)
            try await withMortise(of: installation) { mortise in
                let key = try await mortise.makeKey()
                let revoked = try await mortise.makeKey("revoked")
                #expect(try await mortise.api.post("\(revoked.path)/revoke", [:], as: mortise.adminToken).status == 200)
                #expect(try await mortise.api.get("/readyz", as: nil).status == 200)
                try await local.kill9()
                for _ in 0..<20 {
                    for token in [key.token, revoked.token] {
                        let answer = try await mortise.verify(token)
                        #expect(answer.status == 503, "\(answer)")
                        #expect(answer.headers["retry-after"] != nil)
                    }
                    let change = try await mortise.api.post(ServerHarness.keys(), ["name": "x"], as: mortise.adminToken)
                    #expect(change.status == 503 && change.headers["retry-after"] != nil, "\(change)")
                }
                try await eventually("readiness notices") {
                    try await mortise.api.get("/readyz", as: nil).status == 503
                }
                try await mortise.expectCause("no connection to the server")
                #expect(try await mortise.api.get("/healthz", as: nil).status == 200)
                try await local.start()
                try await eventually("it is ready again") {
                    try await mortise.api.get("/readyz", as: nil).status == 200
                }
                try await eventually("it verifies again") { try await mortise.verify(key.token).code == "valid" }
                #expect(try await mortise.verdict(revoked.token) == "revoked")
            }
        }
    }
}
