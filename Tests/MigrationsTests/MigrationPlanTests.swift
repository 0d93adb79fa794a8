import Migrations
import Postgres
import Testing

@Suite struct MigrationPlanTests {
    private let first: MigrationFile
    private let second: MigrationFile
    private let third: MigrationFile

    init() throws {
        first = try file("w0001_a", "SELECT 1")
        second = try file("w0002_b", "SELECT 2")
        third = try file("w0003_c", "SELECT 3")
    }

    private func row(_ name: String, _ checksum: String, line: String = "test") -> AppliedMigration {
        AppliedMigration(
            line: line,
            name: name,
            checksum: checksum,
            appliedAt: PostgresTimestamp(microsecondsSinceUnixEpoch: 0),
            durationMilliseconds: 1,
            version: "1"
        )
    }

    private func row(_ file: MigrationFile) -> AppliedMigration { row(file.name, file.checksum) }

    private func plan(_ files: [MigrationFile], _ ledger: [AppliedMigration]) throws -> MigrationPlan {
        MigrationPlan(try line(files), ledger: ledger)
    }

    @Test func `without a ledger all files are pending, in order`() throws {
        let plan = try self.plan([first, second], [])
        #expect(plan.pending == [first, second])
        #expect(plan.fault == nil)
        #expect(!plan.isUpToDate)
    }

    @Test func `an applied file is not pending, in any order of the rows`() throws {
        let plan = try self.plan([first, second, third], [row(second), row(first)])
        #expect(plan.pending == [third])
        #expect(plan.applied.map(\.name) == ["w0001_a", "w0002_b"])
        #expect(plan.fault == nil)
    }

    @Test func `a changed file is reported with both checksums`() throws {
        let applied = String(repeating: "0", count: 64)
        let plan = try self.plan([first, second], [row("w0001_a", applied)])
        let change = try #require(plan.changed.first)
        #expect(change.name == "w0001_a")
        #expect(change.expected == first.checksum)
        #expect(change.found == applied)
        let report = try #require(plan.fault).description
        #expect(report.contains(applied))
        #expect(report.contains(first.checksum))
    }

    @Test func `a database that a later release migrated is up to date`() throws {
        let plan = try self.plan([first], [row(first), row(second)])
        #expect(plan.isNewer)
        #expect(plan.isUpToDate)
        #expect(plan.missing.map(\.name) == ["w0002_b"])
    }

    @Test func `an unknown file among the program's own is a fault`() throws {
        let plan = try self.plan([first, third], [row(first), row(second)])
        guard case .unknownFiles(_, let files)? = plan.fault else {
            Issue.record("no fault")
            return
        }
        #expect(files == ["w0002_b"])
    }

    @Test func `a file before an applied one is a fault`() throws {
        let plan = try self.plan([first, second], [row(second)])
        #expect(plan.outOfOrder == [first])
        guard case .outOfOrder(_, let files, let last)? = plan.fault else {
            Issue.record("no fault")
            return
        }
        #expect(files == ["w0001_a"])
        #expect(last == "w0002_b")
    }

    @Test func `rows of another migration line are ignored`() throws {
        let plan = try self.plan([first], [row("w0001_a", first.checksum, line: "other")])
        #expect(plan.pending == [first])
        #expect(plan.missing.isEmpty)
    }
}
