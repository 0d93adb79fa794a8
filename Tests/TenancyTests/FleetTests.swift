import KeyStore
import Keys
import Locks
import Migrations
import Postgres
import SQLFiles
import Tenancy
import TestSupport
import Testing

@Suite(.hangLimit) struct FleetTests {
    @Test func `every workspace is migrated, the chosen canary first, and a failure names its workspace`() async throws
    {
        try await withInstallation { test in
            let provisioner = Provisioner(try await test.bootstrap(), options: .ample)
            let first = try await test.makeTenant(provisioner)
            let new = NewWorkspace(organizationID: first.organizationID, slug: "second")
            let second = try await provisioner.create(new, by: .system)
            #expect(try await provisioner.migrateFleet().outcomes.map(\.status) == [.upToDate, .upToDate])

            // The databases look as they would for a release with one more file. It can be applied again.
            let last = try #require(SQLFiles.workspace.last?.name)
            for workspace in [first, second] {
                try await test.withDatabase(workspace.database) {
                    try await $0.script("DELETE FROM mortise.migrations WHERE name = '\(last)'")
                }
            }
            let file = MigrationReport.File(line: "workspace", name: last)
            let dry = try await provisioner.migrateFleet(FleetOptions(isDryRun: true))
            #expect(dry.outcomes.map(\.status) == [.pending([file]), .pending([file])])
            let started = Locked<[String]>([])
            let report = try await provisioner.migrateFleet(canary: second.id) { event in
                if case .started(_, let name, _) = event { started.withLock { $0.append(name) } }
            }
            #expect(report.outcomes.map(\.status) == [.migrated([file]), .migrated([file])])
            #expect(started.withLock { $0 } == ["second", first.slug])

            try await test.withDatabase(second.database) {
                try await $0.script(
                    "UPDATE mortise.migrations SET checksum = repeat('0', 64) WHERE name = 'w0001_schema'"
                )
            }
            let broken = try await provisioner.migrateFleet()
            #expect(broken.outcomes.filter { !$0.isSuccess }.map(\.name) == ["second"])
            await provisioner.shutdown()
        }
    }
}
