import KeyStore
import Postgres
import Tenancy
import TestSupport
import Testing

/// Repairs while a cluster cannot be reached.
@Suite(.hangLimit) struct RepairTests {
    /// Adds a cluster without looking at its server.
    private static func addCluster(_ conninfo: String, to test: TestInstallation) async throws {
        try await withConnection(to: test.owner) {
            try await $0.script(
                "INSERT INTO control.clusters (id, name, conninfo) VALUES (gen_random_uuid(), 'second', '\(conninfo)')"
            )
        }
    }

    /// Adds a cluster whose server never answers.
    private static func withSilentCluster(_ test: TestInstallation) async throws -> (
        Provisioner, Workspace, SilentListener
    ) {
        let provisioner = Provisioner(try await test.bootstrap(), options: .ample)
        let first = try await test.makeTenant(provisioner)
        let silent = try SilentListener()
        try await addCluster(silent.conninfo, to: test)
        return (provisioner, first, silent)
    }

    /// Creates the row of a workspace whose database is left to a repair.
    private static func interruptCreation(
        _ name: String,
        on cluster: String? = nil,
        beside other: Workspace,
        of test: TestInstallation
    ) async throws -> Workspace {
        let new = NewWorkspace(organizationID: other.organizationID, name: name, cluster: cluster)
        return try await test.write { try await $0.createWorkspace(new, by: .system) }
    }

    // The fault: while PostgreSQL hangs on one machine, no suspension on any other machine is completed.
    @Test func `a cluster that never answers holds up no repair of another one`() async throws {
        try await withInstallation { test in
            let (provisioner, first, silent) = try await Self.withSilentCluster(test)
            // The one that hangs comes first.
            let far = try await Self.interruptCreation("far", on: "second", beside: first, of: test)
            let near = try await Self.interruptCreation("near", beside: first, of: test)
            let repair = Task { try await provisioner.reconcileAll() }
            try await eventually("the workspace on the other server is made") {
                try await test.withStore { try await $0.workspace(near.id)?.state } == .active
            }
            #expect(try await test.withStore { try await $0.workspace(far.id)?.state } == .creating)
            repair.cancel()
            _ = await repair.result
            await provisioner.shutdown()
            withExtendedLifetime(silent) {}
        }
    }

    // The fault: a server that is down costs the time of an attempt for each of its workspaces.
    @Test func `after the first workspace of a cluster that cannot be reached the next repair has its other ones`()
        async throws
    {
        try await withInstallation { test in
            let provisioner = Provisioner(try await test.bootstrap(), options: .ample)
            let first = try await test.makeTenant(provisioner)
            try await Self.addCluster("host=/nonexistent user=nobody", to: test)
            for name in ["far", "farther"] {
                _ = try await Self.interruptCreation(name, on: "second", beside: first, of: test)
            }
            let near = try await Self.interruptCreation("near", beside: first, of: test)
            let report = try await provisioner.reconcileAll()
            #expect(report.reconciled == [near.id])
            #expect(report.failed.count == 1, "\(report)")
            await provisioner.shutdown()
        }
    }

    // The fault: no node starts as long as one machine hangs.
    @Test func `a start waits for a cluster that never answers for its own time at most`() async throws {
        try await withInstallation { test in
            let (provisioner, first, silent) = try await Self.withSilentCluster(test)
            let far = try await Self.interruptCreation("far", on: "second", beside: first, of: test)
            let report = try await provisioner.repairAll(within: .seconds(1).onThisMachine)
            #expect(report.unreachableClusters == ["second"])
            #expect(report.reconciled == [])
            #expect(try await test.withStore { try await $0.workspace(far.id)?.state } == .creating)
            await provisioner.shutdown()
            withExtendedLifetime(silent) {}
        }
    }
}
