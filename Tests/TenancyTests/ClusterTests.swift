import KeyStore
import Keys
import LocalPostgres
import Migrations
import Postgres
import Tenancy
import TestSupport
import Testing

@Suite(.hangLimit) struct ClusterTests {
    // Under another name the server would get another password for its role, and all workspaces of the first name would be lost.
    @Test func `a server is one cluster, under whatever name and address it is added`() async throws {
        try await withInstallation { test in
            let control = try await test.bootstrap()
            try await withServer { server, local in
                let conninfo = server.conninfo
                _ = try await control.addCluster(name: "second", conninfo: conninfo, by: .system)
                let password = try await Self.password(on: server, test)
                let error = await #expect(throws: TenancyError.self) {
                    try await control.addCluster(name: "third", conninfo: "\(conninfo) connect_timeout=9", by: .system)
                }
                #expect(error?.code == .invalid)
                #expect(error?.message == "this server is the cluster second")
                #expect(try await Self.password(on: server, test) == password)
                let malformed = await #expect(throws: TenancyError.self) {
                    try await control.addCluster(name: "fourth", conninfo: "host='a\nb'", by: .system)
                }
                #expect(malformed?.message.contains("line end") == true)
            }
        }
    }

    // Two operators add one server at once, each under a name of their own.
    @Test func `of two additions of one server at once, one is refused`() async throws {
        try await withInstallation { test in
            let control = try await test.bootstrap()
            try await withServer { server, _ in
                let conninfo = server.conninfo
                let outcomes = await withTaskGroup(of: Result<Cluster, any Error>.self) { group in
                    for name in ["second", "third", "fourth"] {
                        group.addTask {
                            do {
                                return .success(
                                    try await control.addCluster(name: name, conninfo: conninfo, by: .system)
                                )
                            } catch {
                                return .failure(error)
                            }
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                let added = outcomes.compactMap { try? $0.get() }
                #expect(added.count == 1, "\(outcomes)")
                for case .failure(let error) in outcomes {
                    #expect("\(error)".contains("this server is the cluster \(added.first?.name ?? "")"), "\(error)")
                }
            }
        }
    }

    // The attack: a cluster moves to another server while nodes still use the old one, and a key that is revoked on the new one goes on there.
    @Test func `a cluster does not move from a server that runs and that nodes use`() async throws {
        try await withInstallation { test in
            let control = try await test.bootstrap()
            try await withServer { old, _ in
                try await withServer { new, _ in
                    _ = try await control.addCluster(name: "second", conninfo: old.conninfo, by: .system)
                    let cluster = old.configuration(database: test.installation.clusterDatabase)
                    try await withConnection(to: cluster) {
                        try await $0.script(
                            "INSERT INTO fence.leases (node_id, raised) VALUES (gen_random_uuid(), '{}')"
                        )
                    }
                    let refused = await #expect(throws: TenancyError.self) {
                        try await control.updateCluster(name: "second", conninfo: new.conninfo)
                    }
                    #expect(refused?.code == .wrongState)
                    #expect(refused?.message.contains("stop that server, or all nodes") == true)
                    // The same server under another address is no other one.
                    _ = try await control.updateCluster(
                        name: "second",
                        conninfo: "\(old.conninfo) connect_timeout=9"
                    )
                    try await withConnection(to: cluster) { try await $0.script("DELETE FROM fence.leases") }
                    let moved = try await control.updateCluster(name: "second", conninfo: new.conninfo)
                    #expect(moved.conninfo.contains(new.configuration().parameters["host"] ?? "?"))
                }
            }
        }
    }

    @Test func `a cluster's address can change, but only to a server with its databases`() async throws {
        try await withInstallation { test in
            let control = try await test.bootstrap()
            let provisioner = Provisioner(control, options: .ample)
            let first = try await test.makeTenant(provisioner)
            try await withServer { server, _ in
                let conninfo = server.conninfo
                let cluster = try await control.addCluster(name: "second", conninfo: conninfo, by: .system)
                let new = NewWorkspace(organizationID: first.organizationID, name: "far", cluster: "second")
                let far = try await provisioner.create(new, by: .system)
                let updated = try await control.updateCluster(name: "second", conninfo: "\(conninfo) connect_timeout=9")
                #expect(updated.id == cluster.id)
                #expect(updated.conninfo.contains("connect_timeout='9'"))
                try await withConnection(to: server.configuration()) {
                    let name = PostgresConnection.quote(identifier: far.database)
                    try await $0.script("ALTER DATABASE \(name) RENAME TO gone")
                }
                let missing = await #expect(throws: TenancyError.self) {
                    try await control.updateCluster(name: "second", conninfo: conninfo)
                }
                #expect(missing?.message.contains("lacks 1 of the 1 databases") == true)
                for name in ["primary", "third"] {
                    await #expect(throws: TenancyError.self) {
                        try await control.updateCluster(name: name, conninfo: conninfo)
                    }
                }
            }
            await provisioner.shutdown()
        }
    }

    @Test func `a cluster is removed when it holds no workspace, and its server is free again`() async throws {
        try await withInstallation { test in
            let control = try await test.bootstrap()
            let provisioner = Provisioner(control, options: .ample)
            let first = try await test.makeTenant(provisioner)
            try await withServer { server, _ in
                let conninfo = server.conninfo
                _ = try await control.addCluster(name: "second", conninfo: conninfo, by: .system)
                let new = NewWorkspace(organizationID: first.organizationID, name: "far", cluster: "second")
                let far = try await provisioner.create(new, by: .system)
                for name in ["second", "primary", "third"] {
                    await #expect(throws: TenancyError.self) { try await control.removeCluster(name: name) }
                }
                try await provisioner.delete(far.id, by: .system)
                try await control.removeCluster(name: "second")
                #expect(try await test.withStore { try await $0.cluster(name: "second") } == nil)
                let marks = try await withConnection(to: server.configuration()) {
                    try await $0.texts(
                        "SELECT coalesce(shobj_description(oid, 'pg_authid'), '') FROM pg_roles WHERE rolname = '\(test.installation.runtimeRole)'"
                    )
                }
                #expect(marks == [""])
            }
            await provisioner.shutdown()
        }
    }

    // The fault: each node that had used a removed cluster tried for ever to renew its lease there, and the alert of a lost lease stayed
    // until all nodes were restarted.
    @Test func `a node leaves a cluster that was removed, and uses it again when it is back under its id`() async throws
    {
        try await withInstallation { test in
            let control = try await test.bootstrap()
            let databases = try Databases(control, options: .ample)
            let provisioner = Provisioner(control, options: .ample, fencing: databases.fencing)
            let first = try await test.makeTenant(provisioner)
            let state = Statement("SELECT state FROM auth.workspace")
            try await withServer { server, _ in
                let conninfo = server.conninfo
                let cluster = try await control.addCluster(name: "second", conninfo: conninfo, by: .system)
                for round in ["one", "two"] {
                    if round == "two" {
                        // Somebody takes the row back from a backup.
                        let literal = PostgresConnection.quote(literal: conninfo)
                        try await withConnection(to: test.owner) {
                            try await $0.script(
                                "INSERT INTO control.clusters (id, name, conninfo) VALUES ('\(cluster.id)', 'second', \(literal))"
                            )
                        }
                        let report = try await control.migrateClusterDatabases(isDryRun: false)
                        #expect(report.isSuccess)
                    }
                    let new = NewWorkspace(organizationID: first.organizationID, name: round, cluster: "second")
                    let far = try await provisioner.create(new, by: .system)
                    #expect(far.clusterID == cluster.id)
                    _ = try await databases.limits(for: far.facts)
                    try await eventually("the lease is good") { databases.fencing.figures.good == 1 }
                    let early = try await databases.leaveRemovedClusters()
                    #expect(early.isEmpty && databases.fencing.leaseIDs.count == 1)
                    let found = try await databases.withLookups(far.facts) { try await $0.query(state).count }
                    #expect(found == 1)

                    try await provisioner.delete(far.id, by: .system)
                    try await control.removeCluster(name: "second")
                    try await eventually("the lease is lost") { databases.fencing.figures.lost == 1 }
                    let left = try await databases.leaveRemovedClusters()
                    #expect(left == [cluster.id])
                    let figures = databases.fencing.figures
                    #expect(figures.good == 0 && figures.lost == 0)
                    let error = await #expect(throws: TenancyError.self) {
                        try await databases.withLookups(far.facts) { try await $0.query(state).count }
                    }
                    #expect(error?.code == .unknownWorkspace)
                }
            }
            await provisioner.shutdown()
            await databases.shutdown()
        }
    }

    private static func password(on server: TestServer, _ test: TestInstallation) async throws -> [String] {
        try await withConnection(to: server.configuration()) {
            try await $0.texts("SELECT rolpassword FROM pg_authid WHERE rolname = '\(test.installation.runtimeRole)'")
        }
    }

    @Test func `workspaces can be on a second server and survive its restart`() async throws {
        try await withInstallation { test in
            let control = try await test.bootstrap()
            let provisioner = Provisioner(control, options: .ample)
            let databases = try Databases(control, options: .ample)
            let first = try await test.makeTenant(provisioner)
            try await withServer { server, local in
                let conninfo = server.conninfo
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
                let unreachable = await #expect(throws: UnusableDatabase.self) {
                    try await provisioner.resume(far.id, by: .system)
                }
                #expect(unreachable?.explanation.code == .databaseUnusable)
                #expect(unreachable?.explanation.message.contains("the change is recorded") == true)
                let unknown = await #expect(throws: UnusableDatabase.self) { try await provisioner.lacksDatabase(far) }
                #expect(unknown?.explanation.message.contains("nothing was changed") == true)
                let report = try await provisioner.repairAll()
                #expect(report.failed == [far.id])
                #expect(report.unreachableClusters == ["second"])
                let near = try await databases.withPool(first.facts) { try await $0.query(state).count }
                #expect(near == 1)
                try await local.start()
                // What a start would have set up there is set up by the next repair, once.
                try await withConnection(to: server.configuration()) {
                    try await $0.script("ALTER ROLE \(test.installation.runtimeRole) PASSWORD 'of another release'")
                }
                let before = try await Self.password(on: server, test)
                try await provisioner.prepareRemainingClusters()
                let prepared = try await Self.password(on: server, test)
                #expect(prepared != before)
                try await provisioner.prepareRemainingClusters()
                #expect(try await Self.password(on: server, test) == prepared)
                #expect(try await provisioner.repairAll().reconciled == [far.id])
                #expect(try await test.withStore { try await $0.workspace(far.id)?.state } == .active)
                try await local.kill9()
                await #expect(throws: UnusableDatabase.self) { try await provisioner.delete(far.id, by: .system) }
                #expect(try await test.withStore { try await $0.workspace(far.id)?.state } == .deleting)
                try await local.start()
                #expect(try await provisioner.repairAll().reconciled == [far.id])
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
            let same = test.owner.conninfo
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
