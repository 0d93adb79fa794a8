import FoundationEssentials
import KeyStore
import Migrations
import Postgres
import Tenancy
import TestSupport
import Testing

/// The database of leases and fences that every cluster has.
@Suite(.hangLimit) struct ClusterDatabaseTests {
    private static let renew = Statement("SELECT is_granted FROM fence.renew_lease($1, $2)", prepared: false)

    /// Renews a lease as the service, which proves that the database is there and that the role has what it needs.
    private func renew(_ connection: PostgresConnection) async throws -> Bool {
        try await connection.query(Self.renew, [UUID(), [UUID]()])[0].decode(0)
    }

    @Test func `a start creates the primary cluster's database once, and only the service can use it`() async throws {
        try await withInstallation { test in
            let first = try await test.bootstrap()
            #expect(first.clusterMigration.files.map(\.line).allSatisfy { $0 == "cluster" })
            #expect(!first.clusterMigration.files.isEmpty)
            let second = try await test.bootstrap()
            #expect(second.clusterMigration.isEmpty)
            let name = test.installation.clusterDatabase
            #expect(name == "\(test.installation.prefix)_cluster")
            let isGranted = try await test.withRuntime(name) { try await renew($0) }
            #expect(isGranted)
            let ofEverybody = try await withConnection(to: test.owner) {
                try await $0.texts(
                    "SELECT 1::text FROM pg_database, aclexplode(datacl) WHERE datname = '\(name)' AND grantee = 0"
                )
            }
            #expect(ofEverybody == [])
            // The server's timeline is recorded, so the first change need not wait for leases of an earlier one.
            let timelines = try await test.withDatabase(name) {
                try await $0.texts(
                    "SELECT 1::text FROM fence.timeline t JOIN fence.current_timeline() c USING (system_identifier, timeline)"
                )
            }
            #expect(timelines == ["1"])
        }
    }

    @Test func `the service can read and write leases and fences, and cannot change the schema`() async throws {
        try await withInstallation { test in
            _ = try await test.bootstrap()
            try await test.withRuntime(test.installation.clusterDatabase) { runtime in
                try await runtime.script(
                    """
                    SELECT fence.insert_fence_of_change('00000000-0000-0000-0000-000000000001', gen_random_uuid(), NULL, 1000);
                    SELECT fence.are_acknowledged('{00000000-0000-0000-0000-000000000001}');
                    SELECT fence.remove_nodes_silent_to('{00000000-0000-0000-0000-000000000001}');
                    SELECT fence.lift_fences('{00000000-0000-0000-0000-000000000001}');
                    DELETE FROM fence.leases
                    """
                )
                for sql in [
                    "DROP TABLE fence.leases", "CREATE TABLE fence.t ()", "CREATE TABLE public.t ()",
                    "TRUNCATE fence.fences",
                ] {
                    #expect(await runtime.refusal(of: sql) == .insufficientPrivilege, "\(sql)")
                }
            }
        }
    }

    // A backup that was restored without roles, and a database that somebody dropped.
    @Test func `a start grants lost privileges again, and creates a lost database again`() async throws {
        try await withInstallation { test in
            _ = try await test.bootstrap()
            let name = test.installation.clusterDatabase
            try await test.withDatabase(name) {
                try await $0.script("DROP OWNED BY \(test.installation.runtimeRole)")
                try await $0.script("UPDATE pg_database SET datacl = NULL WHERE datname = '\(name)'")
            }
            _ = try await test.bootstrap()
            #expect(try await test.withRuntime(name) { try await renew($0) })
            try await administer("DROP DATABASE \(name) WITH (FORCE)")
            _ = try await test.bootstrap()
            #expect(try await test.withRuntime(name) { try await renew($0) })
        }
    }

    @Test func `a control database with the name of the cluster's database is refused`() async throws {
        try await withInstallation { test in
            let owner = test.owner.database(test.installation.clusterDatabase)
            let other = TestInstallation(owner: owner, installation: test.installation)
            let error = await #expect(throws: TenancyError.self) { try await other.bootstrap() }
            #expect(error?.code == .incompatible)
        }
    }

    @Test func `a further cluster gets its database when it is added, and loses it when it is removed`() async throws {
        try await withInstallation { test in
            let control = try await test.bootstrap()
            try await withServer { server, _ in
                _ = try await control.addCluster(name: "second", conninfo: server.conninfo, by: .system)
                let name = test.installation.clusterDatabase
                let runtime = server.configuration(database: name)
                    .user(test.installation.runtimeRole, password: TestInstallation.password)
                #expect(try await withConnection(to: runtime) { try await renew($0) })
                let report = try await control.migrateClusterDatabases(isDryRun: true)
                #expect(Set(report.outcomes.map(\.name)) == ["primary", "second"])
                #expect(report.outcomes.allSatisfy { $0.status == .upToDate })

                // Somebody dropped it. A dry run says so, and a migration creates it again.
                try await withConnection(to: server.configuration()) {
                    try await $0.script("DROP DATABASE \(name) WITH (FORCE)")
                }
                let lost = try await control.migrateClusterDatabases(isDryRun: true)
                #expect(!lost.isSuccess)
                #expect(try await control.migrateClusterDatabases(isDryRun: false).isSuccess)
                #expect(try await withConnection(to: runtime) { try await renew($0) })

                try await control.removeCluster(name: "second")
                let left = try await withConnection(to: server.configuration()) {
                    try await $0.texts("SELECT datname::text FROM pg_database WHERE datname = '\(name)'")
                }
                #expect(left == [])
            }
        }
    }
}
