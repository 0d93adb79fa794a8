import FoundationEssentials
import KeyStore
import Keys
import Postgres
import Tenancy
import TestSupport
import Testing

@Suite(.hangLimit) struct DatabasesTests {
    private func withTenants(
        _ body: (TestInstallation, ControlDatabase, Databases, [Workspace]) async throws -> Void
    ) async throws {
        try await withInstallation { test in
            let control = try await test.bootstrap()
            let provisioner = Provisioner(control, options: .ample)
            let databases = try Databases(control, options: .ample)
            var workspaces: [Workspace] = []
            for name in ["one", "two"] { workspaces.append(try await test.makeTenant(provisioner, name: name)) }
            try await body(test, control, databases, workspaces)
            await databases.shutdown()
            await provisioner.shutdown()
        }
    }

    private static let whoami = Statement("SELECT current_user || ' ' || current_database()")

    @Test func `lookups and changes both reach the workspace's own database as the runtime role`() async throws {
        try await withTenants { test, _, databases, workspaces in
            for workspace in workspaces {
                let expected = "\(test.installation.runtimeRole) \(workspace.database)"
                let looked = try await databases.withLookups(workspace.facts) { lookups in
                    try await lookups.query(Self.whoami).first?.decode(0, as: String.self)
                }
                let managed = try await databases.withPool(workspace.facts) { pool in
                    try await pool.query(Self.whoami).first?.decode(0, as: String.self)
                }
                #expect(looked == expected)
                #expect(managed == expected)
            }
        }
    }

    // A plan that was made for a small table scanned it after an import of many keys: 2.9 became 182 ms.
    @Test func `look-ups never scan a table of keys, however small it was when they were planned`() async throws {
        try await withTenants { _, _, databases, workspaces in
            let plan = try await databases.withLookups(workspaces[0].facts) { lookups in
                let settings = try await lookups.query(
                    Statement(
                        "SELECT concat_ws(' ', current_setting('enable_seqscan'), current_setting('jit'), current_setting('plan_cache_mode'))"
                    )
                )
                #expect(try settings[0].decode(0, as: String.self) == "off off force_generic_plan")
                return
                    try await lookups.query(
                        Statement("EXPLAIN \(KeyLookup.byDigest.sql)"),
                        [[UInt8](repeating: 1, count: 32)]
                    )
                    .map { try $0.decode(0, as: String.self) }
            }
            #expect(plan.contains { $0.contains("key_secrets_digest_key") })
            // The table of the workspace has one row, which is always needed.
            let scans = plan.filter { $0.contains("Seq Scan") && !$0.contains("on workspace") }
            #expect(scans.isEmpty, "\(plan.joined(separator: "\n"))")
        }
    }

    // The attack: somebody uses the ref in a foreign key's token to learn whether the workspace exists.
    @Test func `a foreign workspace looks unknown`() async throws {
        try await withTenants { _, _, databases, workspaces async throws in
            let (mine, foreign) = (workspaces[0], workspaces[1])
            let owners = try await databases.facts(ref: foreign.ref, organization: foreign.organizationID)
            #expect(owners == foreign.facts)
            #expect(try await databases.facts(ref: foreign.ref, organization: mine.organizationID) == nil)
        }
    }

    @Test func `facts about a workspace are cached`() async throws {
        try await withTenants { _, _, databases, workspaces async throws in
            let workspace = workspaces[0]
            #expect(try await databases.facts(id: workspace.id) == workspace.facts)
            await databases.control.lookups.shutdown()
            #expect(
                try await databases.facts(ref: workspace.ref, organization: workspace.organizationID) == workspace.facts
            )
            #expect(try await databases.facts(id: workspace.id) == workspace.facts)
        }
    }

    @Test func `a deleted workspace becomes unknown`() async throws {
        try await withTenants { test, control, databases, workspaces in
            let provisioner = Provisioner(control, options: .ample)
            let new = NewWorkspace(organizationID: workspaces[0].organizationID, name: "x")
            let gone = try await provisioner.create(new, by: .system)
            _ = try await databases.facts(ref: gone.ref, organization: gone.organizationID)
            try await provisioner.delete(gone.id, by: .system)
            await provisioner.shutdown()
            let error = await #expect(throws: TenancyError.self) {
                try await databases.withPool(gone.facts) { try await $0.query(Self.whoami) }
            }
            #expect(error?.code == .unknownWorkspace)
            #expect(try await databases.facts(ref: gone.ref, organization: gone.organizationID) == nil)
        }
    }

    // The fault: a request knows a workspace from before its deletion, and connects while the database is dropped.
    @Test func `a workspace that is being deleted is unknown, and another one that lets nobody in is unavailable`()
        async throws
    {
        try await withTenants { test, control, databases, workspaces in
            let provisioner = Provisioner(control, options: .ample)
            let new = NewWorkspace(organizationID: workspaces[0].organizationID, name: "x")
            let workspace = try await provisioner.create(new, by: .system)
            let database = PostgresConnection.quote(identifier: workspace.database)
            let role = PostgresConnection.quote(identifier: control.installation.runtimeRole)
            try await administer("REVOKE CONNECT ON DATABASE \(database) FROM \(role)")
            let refused = await #expect(throws: PostgresError.self) {
                try await databases.withPool(workspace.facts) { try await $0.query(Self.whoami) }
            }
            #expect(refused?.sqlState == .insufficientPrivilege)
            _ = try await provisioner.archive(workspace.id, by: .system)
            await provisioner.shutdown()
            let crashing = Provisioner.crashing(after: .requested, control)
            await #expect(throws: Crash.self) { try await crashing.delete(workspace.id, by: .system) }
            await crashing.shutdown()
            let error = await #expect(throws: TenancyError.self) {
                try await databases.withPool(workspace.facts) { try await $0.query(Self.whoami) }
            }
            #expect(error?.code == .unknownWorkspace)
        }
    }

    // A broken database must affect its own tenant only.
    @Test func `an unavailable database does not affect other workspaces`() async throws {
        try await withTenants { test, _, databases, workspaces in
            let (broken, sound) = (workspaces[0], workspaces[1])
            try await administer(
                "ALTER DATABASE \(PostgresConnection.quote(identifier: broken.database)) ALLOW_CONNECTIONS false"
            )
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        await #expect(throws: (any Error).self) {
                            try await databases.withLookups(broken.facts) { try await $0.query(Self.whoami) }
                        }
                        await #expect(throws: (any Error).self) {
                            try await databases.withPool(broken.facts) { try await $0.query(Self.whoami) }
                        }
                    }
                }
            }
            let found = try await databases.withLookups(sound.facts) { try await $0.query(Self.whoami).count }
            #expect(found == 1)
            try await administer(
                "ALTER DATABASE \(PostgresConnection.quote(identifier: broken.database)) ALLOW_CONNECTIONS true"
            )
        }
    }

    @Test func `connections are bounded, whatever the number of workspaces`() async throws {
        try await withTenants { test, control, _, workspaces in
            var options = DatabasesOptions.ample
            options.maximumLookupConnections = 1
            options.maximumManagedDatabases = 1
            options.connectionsPerManagedDatabase = 1
            let databases = try Databases(control, options: options)
            for _ in 0..<3 {
                for workspace in workspaces {
                    _ = try await databases.withLookups(workspace.facts) { try await $0.query(Self.whoami) }
                    _ = try await databases.withPool(workspace.facts) { try await $0.query(Self.whoami) }
                }
            }
            try await eventually("the closed connections are gone") {
                let open = try await withConnection(to: test.owner) {
                    try await $0.texts(
                        "SELECT pid::text FROM pg_stat_activity WHERE usename = '\(test.installation.runtimeRole)' AND datname LIKE '%\\_w\\_%'"
                    )
                }
                return open.count <= 2
            }
            await databases.shutdown()
        }
    }

    // A warning is how PostgreSQL says that no standby has a commit. Where a setting hides warnings, such a commit was called done.
    @Test func `no setting of a database hides the warning about a missing standby`() async throws {
        try await withTenants { _, control, _, workspaces in
            let workspace = workspaces[0]
            let database = PostgresConnection.quote(identifier: workspace.database)
            try await administer("ALTER DATABASE \(database) SET client_min_messages = error")
            let databases = try Databases(control, options: .ample)
            let level = Statement("SELECT current_setting('client_min_messages')")
            let rows = [
                try await databases.withPool(workspace.facts) { try await $0.query(level) },
                try await databases.withStop(workspace.facts) { try await $0.query(level) },
            ]
            for row in rows { #expect(try row[0].decode(0, as: String.self) == "notice") }
            await databases.shutdown()
        }
    }

    // A page with more workspaces than there are slots for changes closed and opened connections at every visit.
    @Test func `overviews of workspaces keep connections of their own beside those of changes`() async throws {
        try await withTenants { _, control, _, workspaces in
            var options = DatabasesOptions.ample
            options.maximumManagedDatabases = 1
            options.connectionsPerManagedDatabase = 1
            options.maximumOverviewDatabases = 2
            let databases = try Databases(control, options: options)
            let process = Statement("SELECT pg_backend_pid()")
            func visit() async throws -> [Int32] {
                try await databases.withOverview(workspaces[0].facts) { first in
                    try await databases.withOverview(workspaces[1].facts) { second in
                        let rows = [try await first.query(process), try await second.query(process)]
                        return try rows.map { try $0[0].decode(0, as: Int32.self) }
                    }
                }
            }
            let visits = try await databases.withPool(workspaces[0].facts) { pool in
                try await pool.withConnection { _ in [try await visit(), try await visit()] }
            }
            #expect(visits[0] == visits[1])
            #expect(Set(visits[0]).count == 2)
            await databases.shutdown()
        }
    }

    @Test func `a shut-down pool lends no connection`() async throws {
        try await withTenants { _, _, databases, workspaces in
            _ = try await databases.withPool(workspaces[0].facts) { try await $0.query(Self.whoami) }
            await databases.shutdown()
            await #expect(throws: (any Error).self) {
                try await databases.withPool(workspaces[0].facts) { try await $0.query(Self.whoami) }
            }
            await #expect(throws: (any Error).self) {
                try await databases.withLookups(workspaces[1].facts) { try await $0.query(Self.whoami) }
            }
        }
    }

    // MARK: Look-up connections

    /// Returns the server processes of the runtime role in workspaces' databases.
    private func sessions(_ test: TestInstallation) async throws -> [String] {
        try await test.withDatabase(test.owner.database ?? "postgres") {
            try await $0.texts(
                """
                SELECT pid::text FROM pg_stat_activity
                WHERE usename = '\(test.installation.runtimeRole)' AND datname LIKE '%\\_w\\_%'
                """
            )
        }
    }

    // One for each reactor made the number of connections grow with the processors.
    @Test func `a workspace has one look-up connection, whatever the number of reactors`() async throws {
        try await withTenants { test, control, _, workspaces in
            let reactors = [try Reactor(name: "one"), try Reactor(name: "two"), try Reactor(name: "three")]
            let databases = try Databases(control, reactors: reactors, options: .ample)
            for reactor in reactors {
                for workspace in workspaces {
                    try await withTaskExecutorPreference(reactor) {
                        _ = try await databases.withLookups(workspace.facts) { try await $0.query(Self.whoami) }
                    }
                }
            }
            #expect(try await sessions(test).count == workspaces.count)
            await databases.shutdown()
            for reactor in reactors { await reactor.shutdown() }
        }
    }

    @Test func `a look-up connection that is not used any more is closed, and opened again when it is needed`()
        async throws
    {
        try await withTenants { test, _, databases, workspaces in
            func use() async throws {
                _ = try await databases.withLookups(workspaces[0].facts) { try await $0.query(Self.whoami) }
            }
            try await use()
            await databases.closeUnusedLookups()
            try await use()
            await databases.closeUnusedLookups()
            #expect(try await sessions(test).count == 1, "a connection in use was closed")
            await databases.closeUnusedLookups()
            try await eventually("the connection is closed") { try await sessions(test).isEmpty }
            #expect(databases.lookupConnections.open == 0)
            try await use()
            #expect(databases.lookupConnections.open == 1)
        }
    }

    // Six of 36 workspaces were never answered at a full server, while connections of others idled.
    @Test func `at a full server every workspace is answered, because idle connections are closed`() async throws {
        try await withTenants { test, control, _, workspaces in
            let provisioner = Provisioner(control, options: .ample)
            var all = workspaces
            for number in 0..<4 {
                let new = NewWorkspace(organizationID: workspaces[0].organizationID, name: "more \(number)")
                all.append(try await provisioner.create(new, by: .system))
            }
            await provisioner.shutdown()
            let role = PostgresConnection.quote(identifier: test.installation.runtimeRole)
            // One is for look-ups in the control database.
            try await administer("ALTER ROLE \(role) CONNECTION LIMIT 3")
            let databases = try Databases(control, options: .ample)
            for _ in 0..<2 {
                for workspace in all {
                    let looked = try await databases.withLookups(workspace.facts) { try await $0.query(Self.whoami) }
                    #expect(looked.count == 1)
                    let changed = try await databases.withConnection(workspace.facts) {
                        try await $0.query(Self.whoami)
                    }
                    #expect(changed.count == 1)
                    let stopped = try await databases.withStop(workspace.facts) { try await $0.query(Self.whoami) }
                    #expect(stopped.count == 1)
                }
            }
            await databases.shutdown()
        }
    }

    @Test func `more workspaces at once than look-up connections are all answered, within the bound`() async throws {
        try await withTenants { test, control, _, workspaces in
            let provisioner = Provisioner(control, options: .ample)
            var all = workspaces
            for number in 0..<4 {
                let new = NewWorkspace(organizationID: workspaces[0].organizationID, name: "more \(number)")
                all.append(try await provisioner.create(new, by: .system))
            }
            await provisioner.shutdown()
            var options = DatabasesOptions.ample
            options.maximumLookupConnections = 2
            let databases = try Databases(control, options: options)
            try await withThrowingTaskGroup(of: Int.self) { group in
                for round in 0..<60 {
                    let facts = all[round % all.count].facts
                    group.addTask {
                        _ = try await databases.withLookups(facts) { try await $0.query(Self.whoami) }
                        return databases.lookupConnections.open
                    }
                }
                for try await open in group { #expect(open <= 2) }
            }
            await databases.shutdown()
        }
    }

    @Test func `without a setting, the look-up connections are a third of what the server allows`() async throws {
        try await withTenants { test, control, databases, workspaces in
            _ = try await databases.withLookups(workspaces[0].facts) { try await $0.query(Self.whoami) }
            let allowed = try await test.withDatabase(test.owner.database ?? "postgres") {
                try await $0.texts(
                    "SELECT ((current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int) / 3)::text"
                )
            }
            #expect(allowed == ["\(databases.lookupLimit(of: workspaces[0].clusterID) ?? 0)"])
        }
    }
}
