import KeyStore
import Keys
import Postgres
import Tenancy
import TestSupport
import Testing

/// Changes that stop keys wait for no paused node, no locked row and no full pool.
@Suite(.hangLimit) struct StopTests {
    private static let lock = "SELECT state FROM auth.workspace FOR UPDATE"

    /// Locks the workspace's row, as every change that stops a key locks a row.
    private func stop(_ workspace: WorkspaceFacts?, _ databases: Databases) async throws {
        _ = try await databases.withStop(workspace) { connection in
            try await connection.transaction { try await $0.query(Statement(Self.lock)) }
        }
    }

    // A node that is paused in the middle of a change holds its locks until the server's limit ends it.
    @Test(arguments: [true, false])
    func `a paused session of this installation that holds a lock is ended`(isControl: Bool) async throws {
        try await withTenant { test, control, _, workspace in
            let databases = try Databases(control, options: .ample)
            let name = isControl ? test.owner.database ?? "" : workspace.database
            try await test.withRuntime(name) { paused in
                try await paused.script("BEGIN; \(Self.lock)")
                try await stop(isControl ? nil : workspace.facts, databases)
                try await eventually("the paused session has ended") { !paused.isUsable }
            }
            await databases.shutdown()
        }
    }

    // A paused node can have several sessions on one row. When the first is ended, the next one takes the lock and does nothing.
    @Test func `each of several paused sessions on one row is ended`() async throws {
        try await withTenant { test, control, _, workspace in
            let databases = try Databases(control, options: .ample)
            try await test.withRuntime(workspace.database) { first in
                try await first.script("BEGIN; \(Self.lock)")
                try await test.withRuntime(workspace.database) { second in
                    let waiting = Task { try? await second.script("BEGIN; \(Self.lock)") }
                    try await eventually("the second session waits for the first") {
                        try await test.withDatabase("postgres") {
                            try await $0.texts("SELECT pg_blocking_pids(\(second.backendProcessID))::text")
                                == ["{\(first.backendProcessID)}"]
                        }
                    }
                    try await stop(workspace.facts, databases)
                    await waiting.value
                    try await eventually("both have ended") { !first.isUsable && !second.isUsable }
                }
            }
            await databases.shutdown()
        }
    }

    // The server must not end a change that this side still waits for, nor take a part of a second for no limit at all.
    @Test func `the server's limit of a change that stops keys keeps the fraction of a second`() async throws {
        try await withTenant { _, control, _, workspace in
            var options = DatabasesOptions.ample
            options.stopDeadline = .milliseconds(3_600_250)
            let databases = try Databases(control, options: options)
            for target in [nil, workspace.facts] {
                let limits = try await databases.withStop(target) {
                    try await $0.texts("SELECT current_setting('statement_timeout')")
                }
                #expect(limits == ["3600250ms"])
            }
            await databases.shutdown()
        }
    }

    // Somebody who works in the database by hand is not ended, and the caller learns the reason.
    @Test func `a session of somebody else is left alone, and the refusal says so`() async throws {
        try await withTenant { test, control, _, workspace in
            var options = DatabasesOptions.ample
            options.stopDeadline = .milliseconds(1500).onThisMachine
            options.blockerPatience = .milliseconds(100)
            let databases = try Databases(control, options: options)
            try await test.withDatabase(workspace.database) { person in
                // The owner's sessions with the program's own name are `mortise migrate` and the like.
                try await person.script("SET application_name = 'psql'; BEGIN; \(Self.lock)")
                // On a machine so busy that nobody could look for the blocker in time, the stop ends without a reason.
                var isExamined = false
                while !isExamined {
                    do {
                        try await stop(workspace.facts, databases)
                        isExamined = true
                        Issue.record("the stop did not wait for the locked row")
                    } catch let error as TenancyError {
                        isExamined = true
                        #expect(error.code == .blocked)
                    } catch let error as PostgresError {
                        try #require([.deadlineExceeded, .server].contains(error.code), "\(error)")
                    }
                }
                #expect(person.isUsable)
                try await person.script("COMMIT")
            }
            try await stop(workspace.facts, databases)
            await databases.shutdown()
        }
    }

    @Test func `a stop has connections of its own beside a full pool and busy look-ups`() async throws {
        try await withTenant { _, control, _, workspace in
            var options = DatabasesOptions.ample
            options.maximumManagedDatabases = 1
            options.connectionsPerManagedDatabase = 1
            options.controlConnections = 1
            let databases = try Databases(control, options: options)
            try await databases.withPool(workspace.facts) { pool in
                try await pool.withConnection { _ in
                    try await databases.control.pool.withConnection { _ in
                        try await stop(workspace.facts, databases)
                        try await stop(nil, databases)
                        _ = try await databases.control.readers.query(Statement("SELECT 1"))
                    }
                }
            }
            await databases.shutdown()
        }
    }

    @Test func `a suspension has connections of its own beside creations of workspaces`() async throws {
        try await withTenant { _, control, _, workspace in
            var options = ProvisionerOptions.ample
            options.maximumConnections = 1
            let provisioner = Provisioner(control, options: options)
            let suspended = try await provisioner.pool.withConnection { _ in
                try await provisioner.suspend(workspace.id, by: .system)
            }
            #expect(suspended.state == .suspended)
            await provisioner.shutdown()
        }
    }

    // The attack: a tenant deletes workspaces, and PostgreSQL takes its time to drop them. Suspensions of all tenants had the same
    // connections.
    @Test func `a suspension has connections of its own beside deletions of workspaces`() async throws {
        try await withTenant { test, control, _, workspace in
            var options = ProvisionerOptions.ample
            options.maximumStops = 1
            options.stopDeadline = .seconds(5).onThisMachine
            let provisioner = Provisioner(control, options: options)
            let new = NewWorkspace(organizationID: workspace.organizationID, name: "third")
            let gone = try await provisioner.create(new, by: .system)
            let suspended = try await test.withDatabase("postgres") { administrator in
                // DROP DATABASE waits for the lock that COMMENT takes.
                try await administrator.script("BEGIN; COMMENT ON DATABASE \"\(gone.database)\" IS 'held'")
                let deletion = Task { try await provisioner.delete(gone.id, by: .system) }
                try await eventually("the deletion waits for its database") {
                    try await administrator.texts(
                        """
                        SELECT count(*)::text FROM pg_locks l JOIN pg_database d ON d.oid = l.objid
                        WHERE NOT l.granted AND l.classid = 'pg_database'::regclass AND d.datname = '\(gone.database)'
                        """
                    ) != ["0"]
                }
                let suspended = try await provisioner.suspend(workspace.id, by: .system)
                try await administrator.script("ROLLBACK")
                try await deletion.value
                return suspended
            }
            #expect(suspended.state == .suspended)
            #expect(try await !test.databases().contains(gone.database))
            await provisioner.shutdown()
        }
    }

    // A node that is paused while it creates a key holds the row of the workspace, so that no key appears after a suspension.
    @Test func `a suspension ends a paused session that holds the workspace's row`() async throws {
        try await withTenant { test, _, provisioner, workspace in
            try await test.withRuntime(workspace.database) { paused in
                try await paused.script("BEGIN; SELECT state FROM auth.workspace FOR SHARE")
                #expect(try await provisioner.suspend(workspace.id, by: .system).state == .suspended)
                try await eventually("the paused session has ended") { !paused.isUsable }
            }
        }
    }

    // A node that is paused between two steps holds the workspace's lock for ever: its session is idle, and no limit of the server ends it.
    @Test func `a suspension takes the lock of a paused node, which cannot undo it when it wakes up`() async throws {
        try await withTenant { test, control, provisioner, workspace in
            _ = try await provisioner.suspend(workspace.id, by: .system)
            let crashing = Provisioner.crashing(after: .requested, control)
            await #expect(throws: Crash.self) { try await crashing.resume(workspace.id, by: .system) }
            await crashing.shutdown()
            let resumption = try await test.withDatabase(test.owner.database ?? "") { paused in
                let events = try await paused.texts(
                    "SELECT state_event_id::text FROM control.workspaces WHERE id = '\(workspace.id)'"
                )
                try await paused.script("SELECT pg_advisory_lock(\(try await workspace.lockKey(paused)))")
                #expect(try await provisioner.archive(workspace.id, by: .system).state == .archived)
                try await eventually("the paused session has ended") { !paused.isUsable }
                return try #require(events.first)
            }
            // The paused node goes on with its own plan.
            try await test.withDatabase(test.owner.database ?? "") {
                try await $0.script(
                    """
                    UPDATE control.workspaces SET target_state = 'active', state_event_id = '\(resumption)'
                    WHERE id = '\(workspace.id)'
                    """
                )
            }
            _ = try await provisioner.reconcile(workspace.id)
            let states = try await test.withRuntime(workspace.database) {
                try await $0.texts("SELECT state FROM auth.workspace")
            }
            #expect(states == ["archived"])
        }
    }

    @Test func `a node that is at work keeps the lock of its workspace`() async throws {
        try await withTenant { test, control, _, workspace in
            var options = ProvisionerOptions.ample
            options.lockPatience = .milliseconds(500)
            options.blockerPatience = .milliseconds(100)
            let provisioner = Provisioner(control, options: options)
            try await test.withDatabase(test.owner.database ?? "") { working in
                try await working.script("SELECT pg_advisory_lock(\(try await workspace.lockKey(working)))")
                let work = Task { try await working.query(Statement("SELECT pg_sleep(600)"), deadline: .ample) }
                try await eventually("it works") {
                    try await test.withDatabase("postgres") {
                        try await
                            !$0.texts(
                                "SELECT query FROM pg_stat_activity WHERE pid = \(working.backendProcessID) AND state = 'active'"
                            )
                            .isEmpty
                    }
                }
                let error = await #expect(throws: TenancyError.self) {
                    try await provisioner.suspend(workspace.id, by: .system)
                }
                #expect(error?.code == .busy)
                #expect(working.isUsable)
                work.cancel()
                _ = await work.result
            }
            await provisioner.shutdown()
        }
    }
}

extension Workspace {
    /// Returns the key of the workspace's advisory lock: the first eight bytes of the SHA-256 of its name.
    fileprivate func lockKey(_ connection: PostgresConnection) async throws -> String {
        let rows = try await connection.texts(
            "SELECT (('x' || left(encode(sha256('mortise workspace \(id)'), 'hex'), 16))::bit(64)::bigint)::text"
        )
        return try #require(rows.first)
    }
}
