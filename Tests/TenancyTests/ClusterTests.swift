import KeyStore
import Keys
import LocalPostgres
import Migrations
import Postgres
import Tenancy
import TestSupport
import Testing

@Suite(.hangLimit) struct ClusterTests {
    @Test func `workspaces can be on a second server and survive its restart`() async throws {
        try await withInstallation { test in
            let control = try await test.bootstrap()
            let provisioner = Provisioner(control, options: .ample)
            let databases = try Databases(control, options: .ample)
            let first = try await test.makeTenant(provisioner)
            try await withServer { server, local in
                let parameters = server.configuration().parameters
                let conninfo = ["host", "port", "user"].compactMap { key in parameters[key].map { "\(key)='\($0)'" } }
                    .joined(separator: " ")
                let cluster = try await control.addCluster(name: "second", conninfo: conninfo, by: .system)
                #expect(!cluster.isPrimary)
                // Nodes that start concurrently create the same role, and PostgreSQL lets only one session alter it at
                // a time.
                let reports = try await withThrowingTaskGroup(of: RepairReport.self) { group in
                    for _ in 0..<6 {
                        group.addTask {
                            let node = Provisioner(control, options: .ample)
                            let report = try await node.repairAll()
                            await node.shutdown()
                            return report
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(reports.flatMap(\.unreachableClusters) == [])
                let new = NewWorkspace(organizationID: first.organizationID, name: "far", cluster: "second")
                let far = try await provisioner.create(new, by: .system)
                #expect(far.clusterID == cluster.id)
                let state = Statement("SELECT state FROM auth.workspace")
                let found = try await databases.withPool(far.facts) {
                    try await $0.query(state).first?.decode(0, as: String.self)
                }
                #expect(found == "active")
                _ = try await provisioner.suspend(far.id, by: .system)
                #expect(try await provisioner.migrateFleet().isSuccess)

                // The second server is unavailable, so its workspace cannot be reached. The change is completed after
                // the server is back.
                try await local.kill9()
                await #expect(throws: PostgresError.self) { try await provisioner.resume(far.id, by: .system) }
                let report = try await provisioner.repairAll()
                #expect(report.failed == [far.id])
                #expect(report.unreachableClusters == ["second"])
                let near = try await databases.withPool(first.facts) { try await $0.query(state).count }
                #expect(near == 1)
                try await local.start()
                #expect(try await provisioner.repairAll().reconciled == [far.id])
                #expect(try await test.withStore { try await $0.workspace(far.id)?.state } == .active)
                try await provisioner.delete(far.id, by: .system)
                #expect(try await test.withStore { try await $0.workspace(far.id) } == nil)
            }
            await databases.shutdown()
            await provisioner.shutdown()
        }
    }

    @Test func `a connection string with a password or to the primary cluster is refused and not stored`()
        async throws
    {
        try await withInstallation { test in
            let control = try await test.bootstrap()
            let own = test.owner.parameters
            let same = ["host", "port", "user"].compactMap { key in own[key].map { "\(key)='\($0)'" } }
                .joined(separator: " ")
            for conninfo in [
                "host=h password=secret", "postgres://u:secret@h/db", "host=h passfile=/x", "nonsense", "", same,
            ] {
                let error = await #expect(throws: TenancyError.self) {
                    try await control.addCluster(name: "second", conninfo: conninfo, by: .system)
                }
                #expect(error?.field == "conninfo", "\(conninfo)")
                #expect(error?.description.contains("secret") == false)
            }
            let names = try await test.withStore { try await $0.clusters(PageRequest()).items.map(\.name) }
            #expect(names == ["primary"])
        }
    }
}
