import JSON
import Postgres
import SQLFiles
import TestSupport
import Testing

/// `mortise migrate` on real databases.
@Suite(.hangLimit) struct MigrateCommandTests {
    private func lines(_ outcome: Outcome) throws -> [JSONValue] {
        try outcome.output.split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8)) }
    }

    private func createWorkspace(_ name: String, _ installation: ProcessInstallation, _ port: Int) async throws
        -> String
    {
        let path = "/v1/organizations/default/workspaces"
        let made = try await installation.call("POST", path, ["name": .string(name)], port: port)
        return try #require(made.body["id"]?.string, "\(made)")
    }

    /// Returns the databases of the workspaces in the order of their creation, the default workspace first.
    private func databases(_ installation: ProcessInstallation) async throws -> [String] {
        try await installation.texts("SELECT database FROM control.workspaces ORDER BY id")
    }

    private static let last = SQLFiles.workspace.last?.name ?? ""

    /// Removes the last file from a database, so that it looks like one of an earlier release.
    ///
    /// The file can be applied again, and the program works without it.
    private func removeLastFile(_ database: String, _ installation: ProcessInstallation) async throws {
        try await installation.withConnection(database) {
            try await $0.script("DELETE FROM mortise.migrations WHERE name = '\(Self.last)'")
        }
    }

    // The accident: an operator migrates from a host with the secrets of another installation, or without secrets.
    @Test func `a migration with foreign or missing secrets is refused, creates none and locks no server out`()
        async throws
    {
        try await ProcessInstallation.with { installation in
            try await installation.serve { program in
                let port = try await program.port()
                try await TemporaryFolder.with { folder in
                    for id in ["s1", "other"] {
                        let file = "\(folder)/\(id)"
                        #expect(try await Program.run(["secrets", "new", file, "--id", id]).code == 0)
                        let variables = installation.variables.merging(["MORTISE_PEPPER_FILE": file]) { $1 }
                        for arguments in [["migrate"], ["migrate", "--workspaces"]] {
                            let outcome = try await Program.run(arguments, environment: variables)
                            #expect(outcome.code == 1, "\(outcome.everything)")
                            #expect(outcome.errors.contains("original file"), "\(outcome.everything)")
                        }
                    }
                    var bare = installation.variables.merging(["MORTISE_DATA": "\(folder)/data"]) { $1 }
                    bare["MORTISE_PEPPER_FILE"] = nil
                    let outcome = try await Program.run(["migrate"], environment: bare)
                    #expect(outcome.code == 64, "\(outcome.everything)")
                    #expect(TemporaryFolder.text("\(folder)/data/secrets") == nil)
                }
                // A new workspace needs a new connection, with the password that the server knows.
                _ = try await createWorkspace("fresh", installation, port)
                let key = try await installation.call(
                    "POST",
                    "/v1/workspaces/fresh/service-keys",
                    ["name": "k"],
                    port: port
                )
                let token = try #require(key.body["token"]?.string, "\(key)")
                #expect(try await installation.verdict(token, port: port) == "valid")
                // With the installation's own secrets, the migration succeeds.
                let own = try await Program.run(["migrate", "--workspaces"], environment: installation.variables)
                #expect(own.code == 0, "\(own.everything)")
                #expect(try await installation.verdict(token, port: port) == "valid")
            }
        }
    }

    @Test func `--dry-run shows the missing files, and --status also the applied ones with their times`() async throws {
        try await ProcessInstallation.with { installation in
            try await installation.serve { program in _ = try await program.port() }
            let database = try #require(try await databases(installation).first)
            try await removeLastFile(database, installation)
            for action in ["--dry-run", "--status"] {
                let outcome = try await Program.run(
                    ["migrate", "--workspaces", "--json", action],
                    environment: installation.variables
                )
                #expect(outcome.code == 0, "\(outcome.everything)")
                let lines = try self.lines(outcome)
                #expect(lines.compactMap { $0["database"]?.string }.prefix(2) == ["control", "cluster primary"])
                #expect(lines.compactMap { $0["state"]?.string } == ["up to date", "up to date", "pending"])
                #expect(lines.last?["files"] == [.string("workspace/\(Self.last)")])
                let applied = lines.map { $0["applied"]?.array?.count }
                let all = SQLFiles.workspace.count + SQLFiles.control.count
                let expected = [all, SQLFiles.cluster.count, SQLFiles.workspace.count - 1]
                #expect(applied == (action == "--status" ? expected : [nil, nil, nil]))
            }
            let text = try await Program.run(["migrate", "--status"], environment: installation.variables)
            let line = try #require(text.output.split(separator: "\n").first { $0.contains("control/c0001_schema") })
            #expect(line.contains(#/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC  by \d+\.\d+\.\d+$/#), "\(line)")
            // The fault: "up to date", while the databases of workspaces were not looked at.
            let actions: [([String], String)] = [([], ""), (["--status"], " --status"), (["--dry-run"], " --dry-run")]
            for (words, rest) in actions {
                let outcome = try await Program.run(["migrate"] + words, environment: installation.variables)
                #expect(outcome.output.contains("`mortise migrate --workspaces\(rest)`"), "\(outcome.everything)")
                let all = try await Program.run(["migrate", "--json"] + words, environment: installation.variables)
                #expect(try lines(all).count == 2, "\(all.everything)")
            }
            #expect(
                try await installation.texts("SELECT 1::text FROM mortise.migrations", in: database).count == SQLFiles
                    .workspace.count - 1
            )
        }
    }

    // The fault: "the server refused the statement", and nothing about which table, which host, or what it said.
    @Test func `a migration and doctor say why a database is broken, each line for itself`() async throws {
        try await ProcessInstallation.with { installation in
            try await installation.serve { program in
                let port = try await program.port()
                for name in ["second", "third", "fourth"] { _ = try await createWorkspace(name, installation, port) }
            }
            let databases = try await self.databases(installation)
            try await installation.withConnection("postgres") {
                try await $0.script("ALTER DATABASE \"\(databases[0])\" ALLOW_CONNECTIONS false")
            }
            // Without a ledger, the first file is applied again.
            try await installation.withConnection(databases[2]) {
                try await $0.script("DELETE FROM mortise.migrations")
            }
            try await installation.withConnection(databases[3]) {
                try await $0.script(
                    "UPDATE mortise.migrations SET checksum = repeat('0', 64) WHERE name = '\(Self.last)'"
                )
            }
            let zeros = String(repeating: "0", count: 64)
            for more in [[], ["--all"]] {
                let outcome = try await Program.run(
                    ["migrate", "--workspaces"] + more,
                    environment: installation.variables
                )
                #expect(outcome.code == 1, "\(outcome.everything)")
                #expect(outcome.output.contains("already exists"), "\(outcome.everything)")
                #expect(outcome.output.contains("is not currently accepting connections"), "\(outcome.everything)")
                #expect(!outcome.output.contains("\\u{a}"), "\(outcome.everything)")
                let lines = outcome.output.split(separator: "\n").map { String($0.drop(while: \.isWhitespace)) }
                #expect(lines.contains("applied  \(zeros)"), "\(outcome.everything)")
                #expect(lines.contains { $0.hasPrefix("expected ") && !$0.contains(zeros) }, "\(outcome.everything)")
                #expect(!outcome.everything.contains("CREATE TABLE"), "\(outcome.everything)")
            }
            let doctor = try await Program.run(["doctor"], environment: installation.variables)
            #expect(doctor.output.contains("is not currently accepting connections"), "\(doctor.everything)")
        }
    }

    // The accident: the program of before an upgrade calls the databases up to date, its server is started, and refuses them.
    @Test(arguments: [("mortise", "control", "c9999_later"), ("mortise_cluster", "cluster", "f9999_later")])
    func `a database of a later release is no database that is up to date`(
        _ database: String,
        _ line: String,
        _ file: String
    ) async throws {
        try await ProcessInstallation.with { installation in
            try await installation.serve { program in _ = try await program.port() }
            try await installation.withConnection(database) {
                try await $0.script(
                    """
                    INSERT INTO mortise.migrations (line, name, checksum, duration_ms, version)
                    VALUES ('\(line)', '\(file)', repeat('0', 64), 1, '9.9.9')
                    """
                )
            }
            for action in [["--status"], ["--dry-run"], []] {
                let outcome = try await Program.run(["migrate"] + action, environment: installation.variables)
                #expect(outcome.code == 1, "\(outcome.everything)")
                #expect(outcome.everything.contains("is newer than this program ("), "\(outcome.everything)")
                #expect(
                    outcome.everything.contains("he release that migrated it, or a later one"),
                    "\(outcome.everything)"
                )
                let name = line == "control" ? "control" : "cluster primary"
                #expect(!outcome.output.contains("\(name): up to date"), "\(outcome.everything)")
                if action == ["--status"] {
                    #expect(outcome.output.contains("\(line)/\(file)"), "\(outcome.everything)")
                }
            }
            let doctor = try await Program.run(["doctor"], environment: installation.variables)
            #expect(doctor.code == 1 && doctor.output.contains("is newer than this program ("), "\(doctor.everything)")
            let serve = try await Program.run(["serve"], environment: installation.serveVariables())
            #expect(serve.code == 1 && serve.errors.contains("is newer than this program ("), "\(serve.everything)")
        }
    }

    // The accident: a mistyped canary migrates the control database, and its operator reads that nothing was changed.
    @Test func `a canary that means no workspace or several changes nothing`() async throws {
        try await ProcessInstallation.with { installation in
            // Without a control database, the name can only be looked for after the database is made.
            let early = try await Program.run(
                ["migrate", "--workspaces", "--canary", "shop"],
                environment: installation.variables
            )
            #expect(early.code == 1 && early.output.contains("control: migrated"), "\(early.everything)")
            #expect(early.errors.contains("were migrated, and no workspace was."), "\(early.everything)")
            #expect(!early.errors.contains("Nothing was changed"), "\(early.everything)")
            try await installation.serve { program in
                let port = try await program.port()
                let organization = try await installation.call(
                    "POST",
                    "/v1/organizations",
                    ["name": "acme", "slug": "acme"],
                    port: port,
                    token: installation.operatorToken
                )
                try #require(organization.status == 201, "\(organization)")
                for (owner, token) in [
                    ("default", installation.adminToken), ("acme", installation.operatorToken),
                ] {
                    let path = "/v1/organizations/\(owner)/workspaces"
                    let made = try await installation.call("POST", path, ["name": "shop"], port: port, token: token)
                    try #require(made.status == 201, "\(made)")
                }
            }
            // The last file is applied again, without its table. The other column is one that another release has not had.
            let last = try #require(SQLFiles.control.last?.name)
            let ledger = "SELECT name FROM mortise.migrations WHERE name = '\(last)'"
            try await installation.withConnection {
                try await $0.script("DELETE FROM mortise.migrations WHERE name = '\(last)'")
                try await $0.script("DROP TABLE control.pending_retirements")
                try await $0.script("ALTER TABLE control.workspaces RENAME COLUMN metadata TO other")
            }
            let id = "01979d2c-1c50-7cc5-9c1e-0f5f2a7f8a11"
            for (name, code) in [("shpo", CInt(1)), (id, 1), ("shop", 64)] {
                let outcome = try await Program.run(
                    ["migrate", "--workspaces", "--canary", name],
                    environment: installation.variables
                )
                #expect(outcome.code == code, "\(outcome.everything)")
                #expect(outcome.output.isEmpty, "\(outcome.everything)")
                #expect(outcome.errors.contains("Nothing was changed."), "\(outcome.everything)")
                #expect(try await installation.texts(ledger).isEmpty, "\(name)")
            }
            try await installation.withConnection {
                try await $0.script("ALTER TABLE control.workspaces RENAME COLUMN other TO metadata")
            }
            let outcome = try await Program.run(
                ["migrate", "--workspaces", "--canary", "acme/shop"],
                environment: installation.variables
            )
            #expect(outcome.code == 0, "\(outcome.everything)")
            #expect(try await installation.texts(ledger) == [last])
        }
    }

    // The database of the oldest workspace is unavailable. The migration must still reach the others.
    @Test func `an unreachable database is reported and does not stop the migration of the others`() async throws {
        try await ProcessInstallation.with { installation in
            try await installation.serve { program in
                let port = try await program.port()
                for name in ["second", "third"] { _ = try await createWorkspace(name, installation, port) }
            }
            let databases = try await self.databases(installation)
            for database in databases { try await removeLastFile(database, installation) }
            try await installation.withConnection("postgres") {
                try await $0.script("ALTER DATABASE \"\(databases[0])\" ALLOW_CONNECTIONS false")
            }
            let look = try await Program.run(
                ["migrate", "--workspaces", "--dry-run", "--json"],
                environment: installation.variables
            )
            #expect(look.code == 1)
            #expect(try lines(look).filter { $0["state"] == "pending" }.count == 2)
            let doctor = try await Program.run(["doctor"], environment: installation.variables)
            #expect(doctor.code == 1)
            #expect(doctor.output.contains("The database of workspace default/default cannot be examined"))
            #expect(doctor.output.contains("Look at its PostgreSQL server."), "\(doctor.output)")
            #expect(
                doctor.output.contains("The schemas of 2 workspaces lack migrations: default/second, default/third.")
            )
            let each = try await Program.run(["doctor", "--all"], environment: installation.variables)
            #expect(each.output.contains("The schema of workspace default/third lacks 1 migration."))
            let sums = try await Program.run(
                ["migrate", "--workspaces", "--dry-run"],
                environment: installation.variables
            )
            let expected = "workspaces: 3, of which 1 cannot be reached, 2 pending"
            #expect(sums.output.contains(expected), "\(sums.everything)")
            #expect(sums.output.contains("workspace/\(Self.last): default/second, default/third"), "\(sums.everything)")
            let sorted = try await Program.run(
                ["migrate", "--workspaces", "--dry-run", "--all"],
                environment: installation.variables
            )
            let named = sorted.output.split(separator: "\n").filter { $0.hasPrefix("workspace ") }
                .compactMap { $0.split(separator: " ").dropFirst().first }
            #expect(named.suffix(3) == ["default/default", "default/second", "default/third"], "\(sorted.everything)")

            let outcome = try await Program.run(
                ["migrate", "--workspaces", "--canary", "default/third", "--json"],
                environment: installation.variables
            )
            #expect(outcome.code == 1, "\(outcome.everything)")
            let states = try lines(outcome).compactMap { $0["state"]?.string }
            #expect(states.filter { $0 == "migrated" }.count == 2)
            #expect(states.filter { $0.hasPrefix("cannot be reached") }.count == 1)
            #expect(try lines(outcome).dropFirst(2).first?["database"]?.string?.contains("third") == true)
            try await installation.withConnection("postgres") {
                try await $0.script("ALTER DATABASE \"\(databases[0])\" ALLOW_CONNECTIONS true")
            }
            let again = try await Program.run(["migrate", "--workspaces"], environment: installation.variables)
            #expect(again.code == 0, "\(again.everything)")
            let none = try await Program.run(
                ["migrate", "--workspaces", "--canary", "01979d2c-1c50-7cc5-9c1e-0f5f2a7f8a11"],
                environment: installation.variables
            )
            #expect(none.code == 1)
        }
    }
}
