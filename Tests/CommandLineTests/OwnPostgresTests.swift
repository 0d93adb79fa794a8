import FoundationEssentials
import Glibc
import JSON
import NIOCore
import NIOPosix
import TestSupport
import Testing

/// The PostgreSQL server that Mortise runs itself, during its first start and after an interruption.
@Suite(.hangLimit) struct OwnPostgresTests {
    private static func variables(_ folder: String) -> [String: String] {
        ["MORTISE_DATA": "\(folder)/data", "MORTISE_LISTEN": "127.0.0.1:0", "MORTISE_LOG_FORMAT": "json"]
    }

    /// Runs the body with a folder that the server's account can enter.
    ///
    /// Afterwards, no process uses the folder.
    private static func withFolder(_ body: (String) async throws -> Void) async throws {
        try await TemporaryFolder.with { folder in
            try #require(chmod(folder, 0o755) == 0)
            try await body(folder)
            try await eventually("nothing runs in the folder") { processes(naming: folder).isEmpty }
        }
    }

    /// Waits for the initdb of a server that starts on an empty folder, and stops it in the middle.
    ///
    /// - Returns: The process id of initdb.
    private static func stopInitdb(_ folder: String, _ program: RunningProgram) async throws -> Int32 {
        var found: Int32?
        try await eventually("initdb runs") {
            if program.hasEnded { throw RunningProgram.Ended(log: program.log) }
            // Once the folders exist, the process is initdb itself and not the child that becomes it.
            guard isWriting("\(folder)/data/postgres") else { return false }
            found = initdb(makingIn: "\(folder)/data/postgres")
            return found != nil
        }
        let process = try #require(found)
        kill(process, SIGSTOP)
        return process
    }

    /// Returns true if initdb has created the first folders of a cluster.
    private static func isWriting(_ folder: String) -> Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.contains { $0.hasPrefix("data.new-") && access("\(folder)/\($0)/base", F_OK) == 0 }
    }

    private static func doctor(_ folder: String) async throws -> (code: CInt, findings: [JSONValue]) {
        let outcome = try await Program.run(
            ["doctor", "--json", "--timeout", "3600"],
            environment: ["MORTISE_DATA": "\(folder)/data"]
        )
        #expect(!outcome.everything.contains("Cocoa"), "\(outcome.everything)")
        let findings = try #require(try JSONValue(parsing: Array(outcome.output.utf8)).array, "\(outcome.everything)")
        return (outcome.code, findings)
    }

    @Test func `the doctor reports that another program creates the database, and does not wait for it`() async throws {
        try await Self.withFolder { folder in
            _ = try await RunningProgram.with(["serve"], Self.variables(folder), in: folder) { program in
                let stopped = try await Self.stopInitdb(folder, program)
                // The test must resume initdb, even if the examination fails.
                defer { kill(stopped, SIGCONT) }
                let early = try await Self.doctor(folder)
                kill(stopped, SIGCONT)
                #expect(early.code == 0)
                #expect(early.findings.last?["level"] == "warning")
                #expect(early.findings.last?["sentence"]?.string?.contains("is creating the database") == true)
                _ = try await program.port()
                let late = try await Self.doctor(folder)
                #expect(late.findings.allSatisfy { $0["level"] == "ok" }, "\(late.findings)")
                program.terminate()
                try await program.waitForEnd()
            }
        }
    }

    @Test func `the doctor reports a first start that was killed in initdb, and the next start completes it`()
        async throws
    {
        try await Self.withFolder { folder in
            let run = try await RunningProgram.with(["serve"], Self.variables(folder), in: folder) { program in
                try await Self.stopInitdb(folder, program)
            }
            try #require(run.code == 137)
            // initdb has outlived the program that started it. It ends here, even if the examination fails.
            let meanwhile = try? await Self.doctor(folder)
            kill(run.value, SIGKILL)
            #expect(meanwhile?.findings.last?["sentence"]?.string?.contains("is creating") == true)
            try await eventually("the processes of initdb are gone") {
                processes(naming: "\(folder)/data/postgres").isEmpty
            }
            let between = try await Self.doctor(folder)
            #expect(between.findings.last?["sentence"]?.string?.contains("was interrupted") == true)
            #expect(processes(naming: folder).isEmpty, "the doctor has started a process")
            _ = try await RunningProgram.with(["serve"], Self.variables(folder), in: folder) { program in
                _ = try await program.port()
                #expect(try await Self.doctor(folder).findings.allSatisfy { $0["level"] == "ok" })
                program.terminate()
                try await program.waitForEnd()
            }
        }
    }

    // Variables of libpq that a person has set for another database, each of which would keep a connection from the socket.
    private static let foreign = [
        "PGHOSTADDR": "192.0.2.1", "PGSERVICE": "other", "PGOPTIONS": "-c search_path=elsewhere",
        "PGSSLMODE": "verify-full", "PGSSLCERTMODE": "require", "PGSSLNEGOTIATION": "direct", "PGREQUIRESSL": "1",
        "PGMINPROTOCOLVERSION": "latest",
        "PGCHANNELBINDING": "require", "PGREQUIREPEER": "nobody", "PGGSSENCMODE": "require",
        "PGTARGETSESSIONATTRS": "standby", "PGREQUIREAUTH": "scram-sha-256", "PGUSER": "other", "PGDATABASE": "other",
    ]

    /// Returns the main process of the PostgreSQL server.
    private static func postmaster(_ folder: String) throws -> Int32 {
        let text = TemporaryFolder.text("\(folder)/data/postgres/data/postmaster.pid") ?? ""
        return try #require(text.split(separator: "\n").first.flatMap { Int32($0) })
    }

    private static func isReady(port: Int) async throws -> Bool {
        let environment = ["MORTISE_URL": "http://127.0.0.1:\(port)"]
        return try await Program.run(["doctor", "--ready"], environment: environment).code == 0
    }

    // The faults: the postmaster is killed and never returns, and the examination of the ruins starts it by accident.
    @Test func `PostgreSQL that is killed is started again, whatever variables of libpq are set`() async throws {
        try await Self.withFolder { folder in
            let variables = Self.variables(folder).merging(Self.foreign) { $1 }
            let run = try await RunningProgram.with(["serve"], variables, in: folder) { program in
                let port = try await program.port()
                kill(try Self.postmaster(folder), SIGKILL)
                try await program.expectCause("the PostgreSQL server has ended and is started again")
                try await eventually("the server is ready") { try await Self.isReady(port: port) }
                // It hangs: its processes are there, and none answers.
                let frozen = FrozenProcesses.freeze(try Self.postmaster(folder))
                defer { frozen.thaw() }
                try await eventually("readiness notices") { try await !Self.isReady(port: port) }
                try await program.expectCause("a PostgreSQL server cannot be used")
                frozen.thaw()
                try await eventually("the server is ready again") { try await Self.isReady(port: port) }
                #expect(try await Self.doctor(folder).findings.allSatisfy { $0["level"] == "ok" })
                // A terminal that closes ends the server as SIGTERM does.
                program.terminate(SIGHUP)
                try await program.waitForEnd()
            }
            #expect(run.code == 0)
            // Nothing runs now, and an examination changes nothing of that.
            let after = try await Self.doctor(folder)
            #expect(after.findings.last?["sentence"]?.string?.contains("does not run") == true)
            // The watcher of the server ends by itself a moment after its last user. A server that the doctor had started would stay.
            try await eventually("no process is left") { processes(naming: folder).isEmpty }
            // The secrets file is lost. A new one would only hide it.
            unlink("\(folder)/data/secrets")
            let lost = try await Program.run(["serve"], environment: Self.variables(folder))
            #expect(lost.code == 64)
            #expect(lost.errors.contains("secrets is missing, and the database has an installation"), "\(lost.errors)")
            #expect(access("\(folder)/data/secrets", F_OK) != 0)
        }
    }

    @Test func `an examination without an answer ends at its time limit`() async throws {
        // The system accepts the connection, and no process reads from it.
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = channel.localAddress?.port ?? 0
        try await TemporaryFolder.with { folder in
            let secrets = try await Program.run(["secrets", "new", "\(folder)/secrets"])
            try #require(secrets.code == 0)
            let outcome = try await Program.run(
                ["doctor", "--timeout", "1"],
                environment: [
                    "MORTISE_PEPPER_FILE": "\(folder)/secrets",
                    "MORTISE_DATABASE_URL": "postgresql://nobody@127.0.0.1:\(port)/mortise?sslmode=disable",
                ]
            )
            #expect(outcome.code == 1)
            #expect(outcome.output.contains("did not end within 1 s"), "\(outcome.everything)")
        }
        try await channel.close()
    }
}
