import FoundationEssentials
import Glibc
import JSON
import Keys
import LocalPostgres
import Logging
import Postgres
import Tenancy
import TestSupport
import Testing

@testable import Backups

/// `mortise backup`, `mortise restore` and `mortise release`, on real servers that are destroyed in between.
@Suite(.hangLimit(.seconds(900))) struct BackupTests {
    /// Creates a workspace, and returns tokens of keys in it, by the names of the keys.
    private static func makeKeys(
        _ names: [String],
        in workspace: String,
        cluster: String? = nil,
        _ installation: ProcessInstallation,
        _ port: Int
    ) async throws -> [String: (id: String, token: String)] {
        var members: JSONObject = ["name": .string(workspace), "slug": .string(workspace)]
        if let cluster { members["cluster"] = .string(cluster) }
        let made = try await installation.call(
            "POST",
            "/v1/organizations/default/workspaces",
            .object(members),
            port: port
        )
        try #require(made.status == 201, "\(made)")
        var keys: [String: (id: String, token: String)] = [:]
        for name in names {
            let key = try await installation.call(
                "POST",
                "/v1/workspaces/\(workspace)/service-keys",
                ["name": .string(name)],
                port: port
            )
            keys[name] = (
                try #require(key.body["key"]?["id"]?.string ?? key.body["id"]?.string, "\(key)"),
                try #require(key.body["token"]?.string, "\(key)")
            )
        }
        return keys
    }

    private static func revoke(_ id: String, _ workspace: String, _ installation: ProcessInstallation, _ port: Int)
        async throws
    {
        let path = "/v1/workspaces/\(workspace)/service-keys/\(id)/revoke"
        let answer = try await installation.call("POST", path, [:], port: port)
        try #require(answer.status == 200, "\(answer)")
    }

    /// Destroys all that belongs to the installation on its first server.
    private static func destroy(_ installation: ProcessInstallation) async throws {
        let names = try await installation.texts(
            "SELECT datname::text FROM pg_database WHERE starts_with(datname, 'mortise')",
            in: "postgres"
        )
        try await installation.withConnection("postgres") { connection in
            for name in names {
                let quoted = PostgresConnection.quote(identifier: name)
                try await connection.script("ALTER DATABASE \(quoted) WITH IS_TEMPLATE false")
                try await connection.script("DROP DATABASE \(quoted) WITH (FORCE)")
            }
            try await connection.script("DROP ROLE IF EXISTS mortise_runtime")
        }
    }

    private static func run(_ words: String..., in installation: ProcessInstallation) async throws -> Outcome {
        try await Program.run(words, environment: installation.variables)
    }

    private static func moment(_ text: String) throws -> String {
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        let flag = try #require(words.firstIndex(of: "--moment"), "\(text)")
        return words[flag + 1]
    }

    // The attack: a key leaks and is revoked, the server burns down, and the backup of the night before brings the key back.
    @Test
    func `a restored installation is held, and a key that was revoked after the backup can be revoked before it works`()
        async throws
    {
        try await ProcessInstallation.with { installation in
            let folder = "\(installation.folder)/backup"
            let keys = try await installation.serve { program in
                let port = try await program.port()
                let keys = try await Self.makeKeys(["kept", "early", "late"], in: "shop", installation, port)
                try await Self.revoke(try #require(keys["early"]).id, "shop", installation, port)
                // Servers run during a backup.
                let backup = try await Self.run("backup", folder, in: installation)
                try #require(backup.code == 0, "\(backup.everything)")
                #expect(backup.output.contains("secrets is not in it"), "\(backup.output)")
                try await Self.revoke(try #require(keys["late"]).id, "shop", installation, port)
                return keys
            }
            // The accident: the folder has other files, among which nobody would find the backup, and which `rm -r` would take with it.
            let mixed = "\(installation.folder)/mixed"
            try FileManager.default.createDirectory(atPath: mixed, withIntermediateDirectories: false)
            TemporaryFolder.write("mine", to: "\(mixed)/thesis.txt")
            let foreign = try await Self.run("backup", mixed, in: installation)
            #expect(foreign.code == 1 && foreign.errors.contains("such as thesis.txt"), "\(foreign.everything)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: mixed) == ["thesis.txt"])
            let again = try await Self.run("backup", folder, in: installation)
            #expect(again.code == 1 && again.errors.contains("has a complete backup"), "\(again.everything)")
            let full = try await Self.run("restore", folder, in: installation)
            #expect(full.code == 1 && full.errors.contains("is not empty"), "\(full.everything)")

            try await Self.destroy(installation)
            let restore = try await Self.run("restore", folder, "--data", installation.folder, in: installation)
            try #require(restore.code == 0, "\(restore.everything)")
            let moment = try Self.moment(restore.output)
            // The next command has the flags of this one, so that it finds the same installation.
            let next = "mortise release --moment \(moment) --data \(installation.folder)"
            #expect(restore.output.contains(next), "\(restore.output)")

            // A server of another time can still run: the service cannot connect, not even after a migration.
            let migration = try await Self.run("migrate", in: installation)
            #expect(migration.code == 0, "\(migration.everything)")
            let connects = "SELECT has_database_privilege('mortise_runtime', 'mortise', 'CONNECT')::text"
            #expect(try await installation.texts(connects, in: "postgres") == ["false"])
            let doctor = try await Self.run("doctor", in: installation)
            #expect(doctor.code == 1 && doctor.output.contains("is held"), "\(doctor.everything)")

            // No server starts, and nothing else than the moment releases it.
            let early = try await Program.run(["serve"], environment: installation.serveVariables())
            #expect(
                early.code == 1 && early.errors.contains("was restored from a backup of \(moment)"),
                "\(early.everything)"
            )
            #expect(early.errors.contains("--settings, --data or --database-url-file"), "\(early.errors)")
            let asked = try await Self.run("release", "--data", installation.folder, in: installation)
            #expect(asked.code == 1 && asked.errors.contains(next), "\(asked.everything)")
            let wrong = try await Self.run("release", "--moment", "2020-01-01T00:00:00Z", in: installation)
            #expect(wrong.code == 64 && wrong.errors.contains("not released"), "\(wrong.everything)")
            let release = try await Self.run("release", "--moment", moment, in: installation)
            #expect(release.code == 0, "\(release.everything)")

            try await installation.serve { program in
                let port = try await program.port()
                for key in keys.values { #expect(try await installation.verdict(key.token, port: port) != "valid") }
                try await Self.revoke(try #require(keys["late"]).id, "shop", installation, port)
                let resume = try await installation.call("POST", "/v1/workspaces/shop/resume", [:], port: port)
                #expect(resume.status == 200, "\(resume)")
                #expect(try await installation.verdict(try #require(keys["kept"]).token, port: port) == "valid")
                #expect(try await installation.verdict(try #require(keys["early"]).token, port: port) == "revoked")
                #expect(try await installation.verdict(try #require(keys["late"]).token, port: port) == "revoked")
                // The restored databases are as those of a first start.
                let made = try await Self.makeKeys(["new"], in: "another", installation, port)
                #expect(try await installation.verdict(try #require(made["new"]).token, port: port) == "valid")
            }
            let privileges = try await installation.texts(
                "SELECT has_database_privilege('public', oid, 'CONNECT')::text FROM pg_database WHERE starts_with(datname, 'mortise_w_')",
                in: "postgres"
            )
            #expect(Set(privileges) == ["false"])
        }
    }

    // The accident: the machine of the backup is restarted, and later that of the restoration.
    @Test func `a backup and a restoration that are killed go on where they ended`() async throws {
        try await ProcessInstallation.with { installation in
            let folder = "\(installation.folder)/backup"
            var tokens: [String] = []
            try await installation.serve { program in
                let port = try await program.port()
                for number in 0..<6 {
                    let keys = try await Self.makeKeys(["k"], in: "shop-\(number)", installation, port)
                    tokens.append(try #require(keys["k"]).token)
                }
            }
            let before = try await installation.workspaceDatabases().count
            try await Self.kill(["backup", folder, "--jobs", "1"], at: "pg_dump", installation)
            let unfinished = try await Self.run("restore", folder, in: installation)
            #expect(unfinished.code == 1 && unfinished.errors.contains("not complete"), "\(unfinished.everything)")
            let start = try JSONValue(
                parsing: Array(try #require(TemporaryFolder.text("\(folder)/start.json")).utf8),
                limits: JSONLimits(maximumBytes: 1 << 20)
            )
            let begun = try #require(start["inventory"]?["moment"]?.string)
            // As if the run had been interrupted while it replaced the dump of the control database, and a file damaged.
            TemporaryFolder.write("half", to: "\(folder)/control.dump")
            let dumps = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/workspaces")
                .filter { $0.hasSuffix(".dump") }
            let damaged = try #require(dumps.first)
            TemporaryFolder.write("damaged", to: "\(folder)/workspaces/\(damaged)")
            let backup = try await Self.run("backup", folder, in: installation)
            try #require(backup.code == 0, "\(backup.everything)")
            // The files of the first run have the changes before the first moment only.
            #expect(backup.output.contains(begun), "\(backup.everything)")

            try await Self.destroy(installation)
            try await Self.kill(["restore", folder, "--jobs", "1"], at: "pg_restore", installation)
            // Until the end, there is no installation.
            #expect(try await !installation.finds("SELECT 1 FROM control.clusters"))
            // A fresh start must not take the servers.
            let fresh = try await Program.run(["serve"], environment: installation.serveVariables())
            #expect(fresh.code == 1, "\(fresh.everything)")
            #expect(fresh.errors.contains("was interrupted; run `mortise restore` again"), "\(fresh.errors)")
            // The removal of the role's mark would let a new installation take the servers.
            #expect(!fresh.errors.contains("COMMENT ON ROLE"), "\(fresh.everything)")
            try await Self.refuseForeign(folder, installation)
            let restore = try await Self.run("restore", folder, in: installation)
            // The refused start has created an empty database, which is no installation.
            try #require(restore.code == 0, "\(restore.everything)")
            let marked = "SELECT 1 FROM pg_database WHERE shobj_description(oid, 'pg_database') LIKE 'mortise restore%'"
            #expect(try await !installation.finds(marked, in: "postgres"))
            let repeated = try await Self.run("restore", folder, in: installation)
            #expect(repeated.code == 0 && repeated.output.contains("restored already"), "\(repeated.everything)")
            let moment = try Self.moment(restore.output)
            let release = try await Self.run("release", "--moment", moment, "--resume-workspaces", in: installation)
            try #require(release.code == 0, "\(release.everything)")
            try await installation.serve { program in
                let port = try await program.port()
                for token in tokens { #expect(try await installation.verdict(token, port: port) == "valid") }
                #expect(try await installation.workspaceDatabases().count == before)
                // The templates of databases are not in a backup. The first new workspace makes them again.
                _ = try await Self.makeKeys(["new"], in: "another", installation, port)
                try await installation.expectWhole()
                try await installation.expectHealthy()
            }
        }
    }

    /// Checks that a restoration goes on with its own databases alone.
    ///
    /// Without its comment, a database is like that of a living installation, to which a forgotten `--cluster` leads.
    private static func refuseForeign(_ folder: String, _ installation: ProcessInstallation) async throws {
        let comments = try await installation.texts(
            """
            SELECT format('COMMENT ON DATABASE %I IS %L', datname, shobj_description(oid, 'pg_database')) FROM pg_database
            WHERE starts_with(datname, 'mortise_w_')
            """,
            in: "postgres"
        )
        try await installation.withConnection("postgres") { connection in
            for name in try await installation.workspaceDatabases() {
                let quoted = PostgresConnection.quote(identifier: name)
                try await connection.script("COMMENT ON DATABASE \(quoted) IS NULL")
            }
        }
        let foreign = try await run("restore", folder, in: installation)
        #expect(
            foreign.code == 1 && foreign.errors.contains("has databases of an installation"),
            "\(foreign.everything)"
        )
        try await installation.withConnection("postgres") { connection in
            for comment in comments { try await connection.script(comment) }
        }
    }

    /// Runs a command, and kills it when its fourth run of a program of PostgreSQL hangs.
    private static func kill(_ words: [String], at program: String, _ installation: ProcessInstallation) async throws {
        try await TemporaryFolder.with { folder in
            // The folder of the server's programs can have links to some of them only.
            let server = URL(filePath: "\(try PostgresInstallation.find().binaries)/postgres")
            let real = server.resolvingSymlinksInPath().deletingLastPathComponent().path
            for name in ["pg_dump", "pg_restore"] {
                let script = """
                    #!/bin/sh
                    if [ \(name) = \(program) ] && [ "$1" != --version ]; then
                        echo run >>\(folder)/runs
                        if [ "$(wc -l <\(folder)/runs)" -ge 4 ]; then
                            touch \(folder)/hangs
                            while [ -e \(folder)/hangs ]; do sleep 0.1; done
                            exit 1
                        fi
                    fi
                    exec \(real)/\(name) "$@"
                    """
                TemporaryFolder.write(script, to: "\(folder)/\(name)")
                try #require(chmod("\(folder)/\(name)", 0o755) == 0)
            }
            var variables = installation.variables
            variables["MORTISE_POSTGRES_BIN"] = folder
            let result = try await RunningProgram.with(words, variables, in: installation.folder) { running in
                try await eventually("\(program) hangs", within: .seconds(120)) {
                    if running.hasEnded { throw RunningProgram.Ended(log: running.log) }
                    return access("\(folder)/hangs", F_OK) == 0
                }
            }
            try #require(result.code == 137)
        }
    }

    @Test(arguments: ["backup", "restore"])
    func `--postgres-bin names the programs of a backup with every server`(_ command: String) async throws {
        try await TemporaryFolder.with { folder in
            TemporaryFolder.write("postgresql://u@127.0.0.1:1/x", to: "\(folder)/url")
            let outcome = try await Program.run([
                command, "\(folder)/backup", "--database-url-file", "\(folder)/url", "--postgres-bin", folder,
            ])
            #expect(outcome.code == 1, "\(outcome.everything)")
            #expect(outcome.errors.contains("were not found in the folder \(folder)"), "\(outcome.errors)")
            #expect(outcome.errors.contains("--postgres-bin"))
        }
    }

    // The fault: "Nothing was changed" after a PostgreSQL server was made, and advice to begin a new installation.
    @Test func `a restoration is refused before its files are read and before a server is made`() async throws {
        try await ProcessInstallation.with { installation in
            let folder = "\(installation.folder)/backup"
            try await installation.serve { program in
                _ = try await program.port()
                let backup = try await Self.run("backup", folder, in: installation)
                try #require(backup.code == 0, "\(backup.everything)")
            }
            // Whoever reads the files finds this one.
            unlink("\(folder)/control.dump")
            var variables = installation.variables
            variables["MORTISE_DATABASE_URL"] = nil
            let data = "\(installation.folder)/own data"
            let cluster = try await Program.run(
                ["restore", folder, "--data", data, "--cluster", "nope=host=x"],
                environment: variables
            )
            #expect(cluster.code == 64 && cluster.errors.contains("has no cluster nope"), "\(cluster.everything)")
            #expect(cluster.errors.contains("the primary cluster alone"), "\(cluster.errors)")
            variables["MORTISE_PEPPER_FILE"] = nil
            let secrets = try await Program.run(["restore", folder, "--data", data], environment: variables)
            #expect(secrets.code == 64, "\(secrets.everything)")
            #expect(secrets.errors.contains("\(data)/secrets") && secrets.errors.contains("--pepper-file"))
            #expect(!secrets.errors.contains("new installation"), "\(secrets.errors)")
            #expect(access(data, F_OK) != 0)
        }
    }

    /// Faults of a backup, each as a change of its folder, and the words that name it.
    private static let faults: [(name: String, words: String)] = [
        ("cut short", "was cut short or changed"), ("a byte changed", "was changed"), ("missing", "is missing"),
        ("manifest cut short", "not complete"), ("manifest changed", "does not fit its seal"),
        ("newer format", "reads formats up to 1"), ("newer databases", "are newer than this program"),
        ("other secrets", "seal"),
    ]

    // The attack: somebody who can write to the storage of backups takes a revocation out of one.
    @Test func `a backup that was cut short or changed, or is newer, is named, and nothing is changed`() async throws {
        try await ProcessInstallation.with { installation in
            try await installation.serve { program in
                _ = try await Self.makeKeys(["k"], in: "shop", installation, try await program.port())
            }
            let good = "\(installation.folder)/backup"
            let backup = try await Self.run("backup", good, in: installation)
            try #require(backup.code == 0, "\(backup.everything)")
            try await Self.destroy(installation)
            for fault in Self.faults {
                let folder = "\(installation.folder)/faulty"
                try? FileManager.default.removeItem(atPath: folder)
                try FileManager.default.copyItem(atPath: good, toPath: folder)
                var variables = installation.variables
                try await Self.apply(fault.name, to: folder, &variables, installation)
                let outcome = try await Program.run(["restore", folder], environment: variables)
                #expect(outcome.code == 1, "\(fault.name): \(outcome.everything)")
                #expect(outcome.errors.contains(fault.words), "\(fault.name): \(outcome.everything)")
            }
            let left = try await installation.texts(
                "SELECT datname::text FROM pg_database WHERE starts_with(datname, 'mortise')",
                in: "postgres"
            )
            #expect(left == [])
            #expect(
                try await !installation.finds(
                    "SELECT 1 FROM pg_roles WHERE rolname = 'mortise_runtime'",
                    in: "postgres"
                )
            )
        }
    }

    private static func apply(
        _ fault: String,
        to folder: String,
        _ variables: inout [String: String],
        _ installation: ProcessInstallation
    ) async throws {
        let manifest = "\(folder)/manifest.json"
        let text = try #require(TemporaryFolder.text(manifest))
        func bytes(_ path: String) throws -> Data { try #require(FileManager.default.contents(atPath: path)) }
        switch fault {
        case "cut short":
            let dump = try bytes("\(folder)/control.dump")
            try dump.prefix(dump.count / 2).write(to: URL(filePath: "\(folder)/control.dump"))
        case "a byte changed":
            var dump = try bytes("\(folder)/control.dump")
            dump[dump.count - 100] ^= 1
            try dump.write(to: URL(filePath: "\(folder)/control.dump"))
        case "missing": unlink("\(folder)/control.dump")
        case "manifest cut short": TemporaryFolder.write(String(text.prefix(text.count / 2)), to: manifest)
        case "manifest changed":
            let changed = text.replacing("\"moment\":\"20", with: "\"moment\":\"21")
            try #require(changed != text)
            TemporaryFolder.write(changed, to: manifest)
        case "newer format":
            let changed = text.replacing("{\"format\":1,", with: "{\"format\":2,")
            try #require(changed != text)
            TemporaryFolder.write(changed, to: manifest)
        case "newer databases":
            let file = try #require(TemporaryFolder.text("\(installation.folder)/secrets"))
            let peppers = try SecretsFile(parsing: file).peppers
            var newer = try BackupManifest(parsing: Array(text.utf8), peppers: peppers)
            newer.inventory.migrations["control", default: []].append("c9999_later")
            TemporaryFolder.write(newer.text(sealedWith: peppers.current), to: manifest)
        default:
            let secrets = "\(installation.folder)/others"
            _ = try await Program.run(["secrets", "new", secrets])
            variables["MORTISE_PEPPER_FILE"] = secrets
        }
    }

    @Test func `a cluster that is down is named, and the same backup goes on when it is back`() async throws {
        try await ProcessInstallation.with { installation in
            try await withServer { second, local in
                let folder = "\(installation.folder)/backup"
                let conninfo = second.conninfo
                let keys = try await installation.serve { program in
                    let port = try await program.port()
                    let added = try await Self.run("cluster", "add", "second", conninfo, in: installation)
                    try #require(added.code == 0, "\(added.everything)")
                    return try await Self.makeKeys(["far"], in: "far", cluster: "second", installation, port)
                }
                // A server that nobody reaches, as on a machine that is down. It would lose its data at a stop.
                let parameters = second.configuration().parameters
                let socket = "\(try #require(parameters["host"]))/.s.PGSQL.\(try #require(parameters["port"]))"
                try #require(rename(socket, "\(socket).away") == 0)
                let down = try await Self.run("backup", folder, in: installation)
                #expect(down.code == 1 && down.errors.contains("clusters: second"), "\(down.everything)")
                try #require(rename("\(socket).away", socket) == 0)
                let backup = try await Self.run("backup", folder, in: installation)
                try #require(backup.code == 0, "\(backup.everything)")

                try await Self.destroy(installation)
                // The second server has the databases of its workspaces, so another server takes its place.
                let full = try await Self.run("restore", folder, in: installation)
                #expect(full.code == 1 && full.errors.contains("cluster second has databases"), "\(full.everything)")
                let names = try await Self.databases(of: second)
                try await Self.administer(second) { connection in
                    for name in names {
                        let quoted = PostgresConnection.quote(identifier: name)
                        try await connection.script("ALTER DATABASE \(quoted) WITH IS_TEMPLATE false")
                        try await connection.script("DROP DATABASE \(quoted) WITH (FORCE)")
                    }
                }
                await local.stop(mode: .fast)
                let gone = try await Self.run("restore", folder, in: installation)
                #expect(
                    gone.code == 1 && gone.errors.contains("cluster second cannot be reached"),
                    "\(gone.everything)"
                )
                #expect(try await installation.workspaceDatabases().isEmpty)
                try await local.start()
                let typo = try await Self.run("restore", folder, "--cluster", "secnd=\(conninfo)", in: installation)
                #expect(typo.code == 64 && typo.errors.contains("Did you mean second?"), "\(typo.everything)")
                #expect(typo.errors.contains("Its other clusters: second."), "\(typo.errors)")
                // The runtime role has one password on a server, so the last cluster there would work, and no other.
                let same = installation.server.conninfo
                let twice = try await Self.run("restore", folder, "--cluster", "second=\(same)", in: installation)
                #expect(
                    twice.code == 1 && twice.errors.contains("primary and second are on the same server"),
                    "\(twice.everything)"
                )
                #expect(try await installation.workspaceDatabases().isEmpty)
                let there = "second=\(conninfo) keepalives=1"
                let restore = try await Self.run("restore", folder, "--cluster", there, in: installation)
                try #require(restore.code == 0, "\(restore.everything)")
                #expect(
                    try await installation.finds(
                        "SELECT 1 FROM control.clusters WHERE name = 'second' AND conninfo LIKE '%keepalives%'"
                    )
                )
                let moment = try Self.moment(restore.output)
                _ = try await Self.run("release", "--moment", moment, "--resume-workspaces", in: installation)
                try await installation.serve { program in
                    let port = try await program.port()
                    #expect(try await installation.verdict(try #require(keys["far"]).token, port: port) == "valid")
                }
            }
        }
    }

    private static func administer<T>(_ server: TestServer, _ body: (PostgresConnection) async throws -> T) async throws
        -> T
    {
        try await PostgresConnection.with(
            server.configuration(),
            reactor: try TestReactor.shared,
            logger: Logger(label: "test.sql", factory: { _ in SwiftLogNoOpLogHandler() }),
            body
        )
    }

    private static func databases(of server: TestServer) async throws -> [String] {
        try await administer(server) { connection in
            let query = Statement(
                "SELECT datname::text FROM pg_database WHERE starts_with(datname, 'mortise')",
                prepared: false
            )
            return try await connection.query(query).map { try $0.decode(0, as: String.self) }
        }
    }
}
