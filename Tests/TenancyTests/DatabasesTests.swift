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
                    Statement("SELECT current_setting('enable_seqscan') || current_setting('jit')")
                )
                #expect(try settings[0].decode(0, as: String.self) == "offoff")
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
            options.maximumLookupDatabases = 1
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
}
