import Locks
import Migrations
import Postgres
import TestSupport
import Testing

@Suite(.hangLimit) struct FleetTests {
    /// Creates a database for each name, prepares it, and passes the databases to `body` as targets.
    private func withFleet(
        _ names: [String],
        prepare: (String, PostgresConnection) async throws -> Void = { _, _ in },
        _ body: ([FleetTarget]) async throws -> Void
    ) async throws {
        try await withDatabase { configuration in
            try await add(names[...], beside: configuration, to: [], prepare: prepare, body)
        }
    }

    private func add(
        _ names: ArraySlice<String>,
        beside configuration: PostgresConfiguration,
        to targets: [FleetTarget],
        prepare: (String, PostgresConnection) async throws -> Void,
        _ body: ([FleetTarget]) async throws -> Void
    ) async throws {
        guard let name = names.first else { return try await body(targets) }
        try await withSecondDatabase { database in
            try await withConnection(to: database) { try await prepare(name, $0) }
            let target = FleetTarget(id: name, name: name) {
                try await PostgresConnection.connect(
                    database,
                    reactor: TestReactor.shared,
                    logger: LogCollector().logger
                )
            }
            try await add(names.dropFirst(), beside: configuration, to: targets + [target], prepare: prepare, body)
        }
    }

    private let one = Result { try file("a1_one", "CREATE TABLE one (id int);") }

    private func breaks(_ name: String) -> (String, PostgresConnection) async throws -> Void {
        { database, connection in
            if database == name { try await connection.script("CREATE TABLE one (other int)") }
        }
    }

    @Test func `a failure does not stop the other databases, and a second run resumes`() async throws {
        try await withFleet(["a", "b", "c", "d"], prepare: breaks("b")) { targets in
            let fleet = FleetMigration(try migrator([one.get()]))
            let report = await fleet.run(targets)
            #expect(!report.isSuccess)
            #expect(Set(report.outcomes.filter { !$0.isSuccess }.map(\.id)) == ["b"])
            #expect(report.outcomes.count == 4)
            let connection = try await targets[1].connect()
            try await connection.script("DROP TABLE one")
            await connection.close()
            let again = await fleet.run(targets)
            #expect(again.isSuccess)
            #expect(again.outcomes.filter { $0.status == .upToDate }.count == 3)
        }
    }

    // The console shows an outcome to people who do not own the database, and the command line to those who do.
    @Test func `the words of the server are beside the text of an outcome, and not in it`() async throws {
        try await withFleet(["a"], prepare: breaks("a")) { targets in
            let lost = FleetTarget(id: "lost", name: "lost") {
                throw PostgresError(.connectFailed, "no connection", serverMessage: "no route to db.example")
            }
            let report = await FleetMigration(try migrator([one.get()])).run([lost] + targets)
            #expect(report.outcomes.map(\.words) == ["no route to db.example", "relation \"one\" already exists"])
            for outcome in report.outcomes {
                switch outcome.status {
                case .unreachable(let text), .failed(let text):
                    #expect(!text.contains("route") && !text.contains("already exists"))
                default: Issue.record("\(outcome)")
                }
            }
        }
    }

    // A file that fails in every database must fail in one only.
    @Test func `a canary that fails stops the migration before another database is changed`() async throws {
        try await withFleet(["a", "b", "c"], prepare: breaks("a")) { targets in
            let report = await FleetMigration(try migrator([one.get()])).run(targets)
            #expect(report.outcomes.map(\.id) == ["a", "b", "c"])
            #expect(report.outcomes.dropFirst().allSatisfy { $0.status == .skipped })
            let connection = try await targets[2].connect()
            #expect(try await connection.texts("SELECT tablename::text FROM pg_tables WHERE tablename = 'one'").isEmpty)
            await connection.close()
        }
    }

    // An unavailable database must not stop the migration of the others.
    @Test func `an unavailable canary is replaced by the next database and does not stop the migration`()
        async throws
    {
        try await withFleet(["b", "c"]) { targets in
            let lost = ["lost", "gone"]
                .map { name in
                    FleetTarget(id: name, name: name) { throw PostgresError(.connectFailed, "no connection") }
                }
            let canaries = Locked<[String]>([])
            let report = await FleetMigration(try migrator([one.get()]))
                .run(lost + targets) { event in
                    if case .started(let id, _, true) = event { canaries.withLock { $0.append(id) } }
                }
            let migrated = report.outcomes.filter(\.isSuccess).map(\.id)
            #expect(migrated == ["b", "c"])
            #expect(canaries.withLock { $0 } == ["lost", "gone", "b"])
        }
        try await withFleet(["b", "c"], prepare: breaks("b")) { targets in
            let lost = FleetTarget(id: "lost", name: "lost") { throw PostgresError(.connectFailed, "no connection") }
            let report = await FleetMigration(try migrator([one.get()])).run([lost] + targets)
            #expect(report.outcomes.map(\.isSuccess) == [false, false, false])
            #expect(report.outcomes.last?.status == .skipped)
        }
    }

    @Test func `a dry run has no canary and checks every database`() async throws {
        try await withFleet(["a", "b"]) { targets in
            let first = try await targets[0].connect()
            let changed = try migrator([file("a1_one", "CREATE TABLE two (id int);")])
            _ = try await changed.apply(first)
            await first.close()
            let options = FleetOptions(isDryRun: true)
            let report = await FleetMigration(try migrator([one.get()]), options: options).run(targets)
            #expect(report.outcomes.first { $0.id == "a" }?.isSuccess == false)
            let pending = [MigrationReport.File(line: "test", name: "a1_one")]
            #expect(report.outcomes.first { $0.id == "b" }?.status == .pending(pending))
        }
    }

    @Test func `an outcome lists the files that were applied before`() async throws {
        try await withFleet(["a"]) { targets in
            let fleet = FleetMigration(try migrator([one.get()]))
            #expect(await fleet.run(targets).outcomes.first?.applied == [])
            let again = await fleet.run(targets).outcomes.first
            #expect(again?.status == .upToDate)
            #expect(again?.applied.map(\.name) == ["a1_one"])
        }
    }

    @Test func `a dry run of a fleet reports the pending files and changes nothing`() async throws {
        try await withFleet(["a", "b"]) { targets in
            let fleet = FleetMigration(try migrator([one.get()]), options: FleetOptions(isDryRun: true))
            for _ in 0..<2 {
                let report = await fleet.run(targets)
                #expect(report.isSuccess)
                let pending = [MigrationReport.File(line: "test", name: "a1_one")]
                #expect(report.outcomes.allSatisfy { $0.status == .pending(pending) })
            }
        }
    }

    @Test func `the concurrency limits the databases in migration, and the canary is migrated alone`() async throws {
        try await withFleet(["a", "b", "c", "d", "e"]) { targets in
            let running = Locked((now: 0, peak: 0, isCanaryAlone: true, canary: ""))
            let options = FleetOptions(concurrency: 2)
            _ = await FleetMigration(try migrator([one.get()]), options: options)
                .run(targets) { event in
                    running.withLock { running in
                        switch event {
                        case .started(let id, _, let isCanary):
                            running.now += 1
                            running.peak = max(running.peak, running.now)
                            if isCanary { running.canary = id }
                            if !isCanary, !running.canary.isEmpty { running.isCanaryAlone = false }
                        case .finished(let outcome):
                            running.now -= 1
                            if outcome.id == running.canary { running.canary = "" }
                        case .applying: break
                        }
                    }
                }
            #expect(running.withLock { $0.peak } <= 2)
            #expect(running.withLock { $0.isCanaryAlone })
            #expect(running.withLock { $0.now } == 0)
        }
    }

    @Test func `an unavailable database fails alone`() async throws {
        try await withFleet(["a"]) { targets in
            let lost = FleetTarget(id: "lost", name: "lost") {
                throw PostgresError(.connectFailed, "no connection")
            }
            let report = await FleetMigration(try migrator([one.get()])).run(targets + [lost])
            #expect(report.outcomes.first { $0.id == "a" }?.isSuccess == true)
            #expect(report.outcomes.first { $0.id == "lost" }?.isSuccess == false)
        }
    }
}
