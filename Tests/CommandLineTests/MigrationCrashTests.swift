import Glibc
import JSON
import Migrations
import Postgres
import SQLFiles
import TestSupport
import Testing

/// Kills programs while they migrate databases.
@Suite(.hangLimit(.seconds(600))) struct MigrationCrashTests {
    // MARK: The first start, which creates and migrates everything

    /// The stages of a first start: a query that returns a row after the stage, and the database for the query.
    private static let stages: [(sight: String, database: String)] = [
        ("SELECT 1 FROM pg_database WHERE datname = 'mortise'", "postgres"),
        ("SELECT 1 FROM pg_roles WHERE rolname = 'mortise_runtime'", "postgres"),
        ("SELECT 1 FROM mortise.migrations HAVING count(*) >= 1", "mortise"),
        ("SELECT 1 FROM mortise.migrations HAVING count(*) >= 3", "mortise"),
        ("SELECT 1 FROM mortise.migrations WHERE line = 'control'", "mortise"),
        ("SELECT 1 FROM mortise.migrations WHERE name LIKE 'c0004%'", "mortise"),
        ("SELECT 1 FROM control.clusters", "mortise"),
        ("SELECT 1 FROM control.seeds", "mortise"),
        ("SELECT 1 FROM control.workspaces", "mortise"),
        ("SELECT 1 FROM pg_database WHERE starts_with(datname, 'mortise_template_')", "postgres"),
        ("SELECT 1 FROM pg_database WHERE datistemplate AND starts_with(datname, 'mortise_template_')", "postgres"),
        ("SELECT 1 FROM pg_database WHERE starts_with(datname, 'mortise_w_')", "postgres"),
    ]

    @Test func `a first start that is killed at every stage resumes`() async throws {
        try await ProcessInstallation.with { installation in
            for stage in Self.stages {
                try await installation.serve { program in
                    try await eventually(stage.sight, within: .seconds(60)) {
                        if program.hasEnded { throw RunningProgram.Ended(log: program.log) }
                        return try await installation.finds(stage.sight, in: stage.database)
                    }
                    program.kill()
                }
            }
            try await installation.serve { program in
                let port = try await program.port()
                try await installation.expectWhole()
                #expect(try await installation.workspaceDatabases().count == 1)
                for token in [installation.adminToken, installation.operatorToken] {
                    #expect(
                        try await installation.call("GET", "/v1/workspaces", port: port, token: token).status == 200
                    )
                }
                try await installation.expectHealthy()
            }
        }
    }

    // The session of the killed program lives until PostgreSQL notices, and holds the lock of the migrations.
    @Test func `a start that was killed during a file resumes`() async throws {
        try await ProcessInstallation.with { installation in
            try await installation.serve { program in _ = try await program.port() }
            // The state that a release with one more file finds. The file can be applied again.
            let last = try #require(SQLFiles.workspace.last?.name)
            try await installation.withConnection { connection in
                try await connection.script("DELETE FROM mortise.migrations WHERE name = '\(last)'")
            }
            try await installation.withConnection { holder in
                try await holder.script("BEGIN; LOCK TABLE mortise.migrations IN SHARE MODE")
                try await installation.serve { program in
                    try await eventually("a file is applied and not yet recorded", within: .seconds(60)) {
                        if program.hasEnded { throw RunningProgram.Ended(log: program.log) }
                        return try await installation.finds(Self.waiting)
                    }
                    program.kill()
                }
                try await holder.script("ROLLBACK")
            }
            try await installation.serve { program in
                _ = try await program.port()
                try await installation.expectWhole()
                try await installation.expectHealthy()
            }
        }
    }

    private static let waiting =
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    // MARK: The fleet

    @Test func `a killed migration of all workspaces resumes, and no key is lost`() async throws {
        try await ProcessInstallation.with { installation in
            let tokens = try await Self.createFleetOfPreviousRelease(6, installation)
            let last = try #require(SQLFiles.workspace.last?.name)
            try #require(try await Self.databasesWithout(last, installation).count == 6)
            for left in stride(from: 5, through: 1, by: -1) {
                let behind = try await Self.databasesWithout(last, installation)
                try await Self.killMigration(behind: behind[0], before: Array(behind[1...]), last, installation)
                #expect(try await Self.databasesWithout(last, installation).count == left)
            }
            let end = try await Program.run(["migrate", "--workspaces"], environment: installation.variables)
            #expect(end.code == 0, "\(end.everything)")
            #expect(try await Self.databasesWithout(last, installation) == [])
            for database in try await installation.workspaceDatabases() {
                try await installation.expectSchema(of: database, SQLFiles.workspace, #_sourceLocation)
            }
            try await installation.serve { program in
                let port = try await program.port()
                try await installation.expectWhole()
                for token in tokens { #expect(try await installation.verdict(token, port: port) == "valid") }
                try await installation.expectHealthy()
            }
        }
    }

    // The operator has seen enough, or a supervisor stops the job.
    @Test func `a signal lets the migrations under way end, and the others are skipped and counted`() async throws {
        try await ProcessInstallation.with { installation in
            _ = try await Self.createFleetOfPreviousRelease(4, installation)
            let last = try #require(SQLFiles.workspace.last?.name)
            let behind = try await Self.databasesWithout(last, installation)
            try #require(behind.count == 4)
            // The default workspace has the file. The second of the others cannot record it.
            try await Self.holding(behind[1...], installation) {
                let text = try await Self.interrupt([], at: behind[1], by: SIGTERM, installation) { program in
                    #expect(program.log.contains("2 of 5 workspaces done"), "\(program.log)")
                }
                let sums = "workspaces: 5, of which 1 up to date, 1 migrated, 1 failed, 2 skipped"
                #expect(text.contains(sums), "\(text)")
                let objects = try await Self.interrupt(["--json"], at: behind[1], by: SIGINT, installation) { program in
                    // Each object is there before the run ends: control, cluster, and two workspaces.
                    #expect(program.output.split(separator: "\n").count == 4, "\(program.output)")
                }
                let states = try objects.split(separator: "\n")
                    .map { try JSONValue(parsing: Array($0.utf8))["state"]?.string ?? "" }
                #expect(states.count == 7, "\(objects)")
                #expect(states.filter { $0 == "skipped" }.count == 2, "\(objects)")
            }
            #expect(try await Self.databasesWithout(last, installation) == Array(behind[1...]))
            let end = try await Program.run(["migrate", "--workspaces"], environment: installation.variables)
            #expect(end.code == 0, "\(end.everything)")
            #expect(try await Self.databasesWithout(last, installation) == [])
        }
    }

    /// Runs a migration of all workspaces, one after another, and interrupts it while a database waits for a lock.
    ///
    /// - Returns: The standard output.
    private static func interrupt(
        _ flags: [String],
        at held: String,
        by signal: CInt,
        _ installation: ProcessInstallation,
        _ look: (RunningProgram) -> Void
    ) async throws -> String {
        let arguments = ["migrate", "--workspaces", "--concurrency", "1"] + flags
        let run = try await RunningProgram.with(arguments, installation.variables, in: installation.folder) {
            program in
            try await eventually("a database applies the file", within: .seconds(60)) {
                if program.hasEnded { throw RunningProgram.Ended(log: program.log) }
                return try await installation.finds(Self.waiting, in: held)
            }
            look(program)
            program.terminate(signal)
            try await program.waitForEnd()
            return program.output
        }
        #expect(run.code == 130, "\(run.value)")
        return run.value
    }

    /// Runs a migration of all workspaces, and kills it while one workspace has the file and another one is applying
    /// it.
    private static func killMigration(
        behind done: String,
        before held: [String],
        _ file: String,
        _ installation: ProcessInstallation
    ) async throws {
        try await Self.holding(held[...], installation) {
            let arguments = ["migrate", "--workspaces", "--concurrency", "2"]
            let run = try await RunningProgram.with(arguments, installation.variables, in: installation.folder) {
                program in
                try await eventually("one is migrated, and another applies the file", within: .seconds(60)) {
                    if program.hasEnded { throw RunningProgram.Ended(log: program.log) }
                    let recorded = "SELECT 1 FROM mortise.migrations WHERE name = '\(file)'"
                    guard try await installation.finds(recorded, in: done) else { return false }
                    return try await installation.finds(Self.waiting, in: held[0])
                }
                program.kill()
            }
            #expect(run.code == 137)
        }
    }

    /// Runs `body` while nothing can be recorded in the ledgers of some databases.
    private static func holding(
        _ databases: ArraySlice<String>,
        _ installation: ProcessInstallation,
        _ body: () async throws -> Void
    ) async throws {
        guard let first = databases.first else { return try await body() }
        try await installation.withConnection(first) { holder in
            try await holder.script("BEGIN; LOCK TABLE mortise.migrations IN SHARE MODE")
            try await Self.holding(databases.dropFirst(), installation, body)
            try await holder.script("ROLLBACK")
        }
    }

    /// Returns the databases of workspaces that lack a file, the one of the oldest workspace first.
    private static func databasesWithout(_ file: String, _ installation: ProcessInstallation) async throws -> [String] {
        var behind: [String] = []
        for database in try await installation.texts("SELECT database FROM control.workspaces ORDER BY id")
        where try await !installation.finds("SELECT 1 FROM mortise.migrations WHERE name = '\(file)'", in: database) {
            behind.append(database)
        }
        return behind
    }

    /// Creates workspaces that lack the last file, each with a key, from a template that lacks the file.
    ///
    /// The file is one transaction, in which a program can be killed. The program of this release works without it.
    ///
    /// - Returns: The tokens of the keys.
    private static func createFleetOfPreviousRelease(
        _ count: Int,
        _ installation: ProcessInstallation
    ) async throws -> [String] {
        try await installation.serve { program in _ = try await program.port() }
        let templates = try await installation.texts(
            "SELECT datname::text FROM pg_database WHERE starts_with(datname, 'mortise_template_')",
            in: "postgres"
        )
        let name = try #require(templates.first)
        try await installation.withConnection("postgres") { connection in
            try await connection.script("ALTER DATABASE \(name) IS_TEMPLATE false")
            try await connection.script("DROP DATABASE \(name) WITH (FORCE)")
            try await connection.script("CREATE DATABASE \(name) TEMPLATE template0")
        }
        let files = try SQLFiles.workspace.dropLast().map { try MigrationFile(name: $0.name, bytes: $0.bytes) }
        let migrator = Migrator(
            lines: [try MigrationLine("workspace", files: files)],
            identifiers: ["runtime_role": "mortise_runtime"],
            version: "0.0.0"
        )
        try await installation.withConnection(name) { _ = try await migrator.apply($0) }
        try await installation.withConnection("postgres") { connection in
            try await connection.script("ALTER DATABASE \(name) WITH IS_TEMPLATE true ALLOW_CONNECTIONS false")
        }
        return try await installation.serve { program in
            let port = try await program.port()
            var tokens: [String] = []
            for number in 0..<count {
                let slug = "fleet-\(number)"
                let path = "/v1/organizations/default/workspaces"
                let made = try await installation.call("POST", path, ["name": .string(slug)], port: port)
                try #require(made.status == 201, "\(made)")
                let keys = "/v1/workspaces/\(slug)/service-keys"
                let key = try await installation.call("POST", keys, ["name": "first"], port: port)
                tokens.append(try #require(key.body["token"]?.string, "\(key)"))
            }
            return tokens
        }
    }
}
