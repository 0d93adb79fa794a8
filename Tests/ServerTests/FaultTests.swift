import JSON
import Postgres
import Server
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing
import Verification

/// Faults of PostgreSQL: what clients see, what the log says, and what is left afterwards.
@Suite(.hangLimit) struct FaultTests {
    /// Checks that a change is refused with the time to come back, and returns the answer.
    @discardableResult
    private func expectRefusal(_ mortise: ServerHarness, at location: SourceLocation = #_sourceLocation) async throws
        -> Answer
    {
        let answer = try await mortise.api.post(ServerHarness.keys(), ["name": "refused"], as: mortise.adminToken)
        #expect(answer.status == 503, "\(answer)", sourceLocation: location)
        #expect(answer.headers["retry-after"] != nil, sourceLocation: location)
        return answer
    }

    /// Checks that a key works and that a revoked key does not, once the fault is over.
    private func expectRecovery(
        _ mortise: ServerHarness,
        _ key: ServerHarness.IssuedKey,
        revoked: ServerHarness.IssuedKey
    ) async throws {
        try await eventually("changes are accepted again") {
            // A name can be used once, and an attempt whose outcome is unknown can have used it.
            let name = JSONValue.string("after \(UInt64.random(in: 0...UInt64.max))")
            return try await mortise.api.post(ServerHarness.keys(), ["name": name], as: mortise.adminToken).status
                == 201
        }
        try await eventually("keys are verified again") { try await mortise.verify(key.token).code == "valid" }
        #expect(try await mortise.verdict(revoked.token) == "revoked")
        try await eventually("the server is ready again") {
            try await mortise.api.get("/readyz", as: nil).status == 200
        }
    }

    private func makeRevoked(_ mortise: ServerHarness) async throws -> ServerHarness.IssuedKey {
        let key = try await mortise.makeKey("revoked")
        #expect(try await mortise.api.post("\(key.path)/revoke", [:], as: mortise.adminToken).status == 200)
        return key
    }

    // MARK: A full disk

    // Reads go on, so a load balancer must not take all nodes out; the operator must see it nevertheless.
    @Test(.enabled(if: SmallDisk.isAvailable, "this process may not mount a file system"))
    func `with a full disk changes say why, verification goes on, and nothing is lost`() async throws {
        try await SmallDisk.with(megabytes: 96) { disk in
            try await withServer(settings: ["synchronous_commit": "on"]) { server, _ in
                try await server.placeDatabases(on: disk)
                try await withMortise(of: try TestInstallation(server)) { mortise in
                    let key = try await mortise.makeKey()
                    let revoked = try await makeRevoked(mortise)
                    var uses = 0
                    func expectValid(_ token: String) async throws {
                        #expect(try await mortise.verdict(token) == "valid")
                        uses += 1
                    }
                    try await expectValid(key.token)
                    #expect(try await mortise.api.get("/readyz", as: nil).text == "ready\n")

                    try disk.fill()
                    var tokens: [String] = []
                    var refusals = 0
                    /// Creates a key, for which the pages of the tables can have some room left.
                    func create() async throws {
                        let name = JSONValue.string("key \(tokens.count)")
                        let answer = try await mortise.api.post(
                            ServerHarness.keys(),
                            ["name": name],
                            as: mortise.adminToken
                        )
                        if answer.status == 201 { return tokens.append(try answer.string("token")) }
                        refusals += 1
                        #expect(answer.status == 503 && answer.code == "service_unavailable", "\(answer)")
                        #expect(answer["detail"]?.string?.contains("accepts no changes") == true, "\(answer)")
                        #expect(answer.headers["retry-after"] != nil)
                    }
                    while refusals < 20, tokens.count < 2000 { try await create() }
                    try #require(refusals == 20)
                    for _ in 0..<5 { try await expectValid(key.token) }
                    #expect(try await mortise.verdict(revoked.token) == "revoked")
                    #expect(try await mortise.api.get(ServerHarness.keys(), as: mortise.adminToken).status == 200)
                    try await eventually("readiness says it") {
                        try await create()
                        let ready = try await mortise.api.get("/readyz", as: nil)
                        return ready.status == 200 && ready.text.contains("the disk of a PostgreSQL server is full")
                    }
                    try await mortise.expectCause("53100")

                    disk.empty()
                    try await expectRecovery(mortise, key, revoked: revoked)
                    uses += 1
                    for token in tokens { try await expectValid(token) }
                    let database = try await mortise.workspaceDatabase()
                    try await eventually("every use is counted once") {
                        await mortise.server.platform.usage.flush()
                        let counted = try await mortise.rows(
                            database,
                            "SELECT coalesce(sum(verifications), 0)::bigint FROM auth.key_usage"
                        )
                        return try counted[0].decode(0, as: Int.self) == uses
                    }
                }
            }
        }
    }

    // MARK: No connection left

    @Test func `at a server without a free connection requests say when to come back, and go on afterwards`()
        async throws
    {
        try await withMortise(configure: { $0.databases.placePatience = .milliseconds(50) }) { mortise in
            let key = try await mortise.makeKey()
            let revoked = try await makeRevoked(mortise)
            #expect(try await mortise.verdict(key.token) == "valid")
            let role = mortise.installation.installation.runtimeRole
            func limit(_ connections: Int) async throws {
                try await administer(
                    "ALTER ROLE \(PostgresConnection.quote(identifier: role)) CONNECTION LIMIT \(connections)"
                )
            }
            try await limit(0)
            try await administer(
                """
                SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                WHERE usename = \(PostgresConnection.quote(literal: role))
                """
            )
            // Keys in memory go on until the node's lease ends.
            mortise.server.platform.verifier.keys.removeAll()
            for _ in 0..<10 {
                try await expectRefusal(mortise)
                let verdict = try await mortise.verify(revoked.token)
                #expect(verdict.status == 503 && verdict.headers["retry-after"] != nil, "\(verdict)")
            }
            try await eventually("readiness notices") { try await mortise.api.get("/readyz", as: nil).status == 503 }
            try await mortise.expectCause("has no connection left")
            try await limit(-1)
            try await expectRecovery(mortise, key, revoked: revoked)
        }
    }

    // MARK: A database that is away

    /// The way in which the database of a workspace is lost and comes back.
    enum Loss: String, Sendable, CaseIterable {
        /// Somebody gives it another name, and its own name again.
        case renamed
        /// Somebody drops it, and restores a copy.
        case dropped
    }

    // "Not found" for genuine keys would tell their users to throw them away.
    @Test(arguments: Loss.allCases)
    func `a workspace whose database is away is unavailable alone, and goes on when it is back`(_ loss: Loss)
        async throws
    {
        try await withMortise { mortise in
            let workspaces = "/v1/organizations/default/workspaces"
            #expect(try await mortise.api.post(workspaces, ["name": "Other"], as: mortise.adminToken).status == 201)
            let other = try await mortise.makeKey("other", in: "other")
            let key = try await mortise.makeKey()
            let revoked = try await makeRevoked(mortise)
            let name = try #require(try await mortise.workspaceDatabase().database)
            let database = PostgresConnection.quote(identifier: name)
            let away = PostgresConnection.quote(identifier: "\(name)_away")
            /// Does what PostgreSQL does only while nobody is connected to the database.
            func alone(_ sql: String) async throws {
                try await eventually("nobody is connected") {
                    do {
                        try await administer(
                            """
                            SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                            WHERE datname = \(PostgresConnection.quote(literal: name))
                            """
                        )
                        try await administer(sql)
                        return true
                    } catch let error as PostgresError where error.sqlState == .objectInUse {
                        return false
                    }
                }
            }
            switch loss {
            case .renamed: try await alone("ALTER DATABASE \(database) RENAME TO \(away)")
            case .dropped:
                try await alone("CREATE DATABASE \(away) TEMPLATE \(database)")
                try await administer("DROP DATABASE \(database) WITH (FORCE)")
            }
            // Keys in memory go on for a while, as they do between two reads.
            mortise.server.platform.verifier.keys.removeAll()
            for _ in 0..<10 {
                #expect(try await expectRefusal(mortise).code == "workspace_unavailable")
                for token in [key.token, revoked.token] {
                    let verdict = try await mortise.verify(token)
                    #expect(verdict.status == 503 && verdict.code == "workspace_unavailable", "\(verdict)")
                    #expect(verdict.headers["retry-after"] != nil)
                }
            }
            #expect(try await mortise.verdict(other.token) == "valid")
            #expect(try await mortise.api.get("/readyz", as: nil).status == 200)
            try await mortise.expectCause("the database of a workspace is missing")
            try await administer("ALTER DATABASE \(away) RENAME TO \(database)")
            try await expectRecovery(mortise, key, revoked: revoked)
        }
    }
}
