import FoundationEssentials
import Glibc
import LocalPostgres
import TestSupport
import Testing

@Suite(.hangLimit)
struct LifecycleTests {
    @Test
    func `the first start creates a database and a restart keeps its data`() async throws {
        try await withFolder { folder in
            try await withServer(folder, options: .patient) { server in
                try await server.start()
                try await query(server, "CREATE TABLE kept AS SELECT 7 AS n")
                await server.stop()
                #expect(postmaster(folder) == nil)
                await #expect(throws: LocalPostgresError.self) { try await server.connectionString }
                try await server.start()
                #expect(try await query(server, "SELECT n FROM kept") == "7")
                #expect(try await query(server, "SHOW fsync") == "on")
            }
        }
    }

    // Attack: connect as the superuser, who has no password, as another user of the machine or over the network.
    @Test
    func `only the socket's owner can reach the server`() async throws {
        try await withFolder { folder in
            try await withServer(folder) { server in
                try await server.start()
                #expect(try await query(server, "SHOW listen_addresses") == "")
                for name in ["data", "socket"] {
                    let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")
                    #expect(attributes[.posixPermissions] as? Int == 0o700)
                }
                let rules = "SELECT DISTINCT auth_method FROM pg_hba_file_rules WHERE type <> 'local'"
                #expect(try await query(server, rules) == "reject")
                // The owner of the database cannot open it to the network either, by a setting that survives a restart.
                try await query(server, "ALTER SYSTEM SET listen_addresses = '*'")
                await server.stop()
                try await server.start()
                #expect(try await query(server, "SHOW listen_addresses") == "")
            }
        }
    }

    // After a loss of power a recovery can take many minutes. Whoever gives up stops the server, and the next start begins again.
    @Test
    func `a recovery that takes longer than a start may is waited for`() async throws {
        try await withFolder { folder in
            let clock = ContinuousClock()
            let usual = try await clock.measure {
                try await withServer(folder, options: .patient) { server in
                    try await server.start()
                    try await query(server, "CREATE TABLE kept AS SELECT 7 AS n")
                }
            }
            // A recovery from an archive, whose command waits until the test lets it go on.
            let (gate, flag) = ("\(folder)/gate", "\(folder)/open")
            try #require(mkfifo(gate, 0o666) == 0 && chmod(gate, 0o666) == 0)
            #expect(FileManager.default.createFile(atPath: "\(folder)/data/recovery.signal", contents: nil))
            try #require(chmod("\(folder)/data/recovery.signal", 0o666) == 0)
            var options = LocalPostgres.Options.patient
            options.startTimeout = max(.seconds(2), usual * 3)
            options.settings["restore_command"] = "test -e \(flag) || read line < \(gate); false"
            try await withServer(folder, options: options) { server in
                async let started: Void = server.start()
                let end = clock.now + options.startTimeout + .seconds(1)
                try await eventually("the recovery takes longer than a start may") { clock.now >= end }
                #expect(FileManager.default.createFile(atPath: flag, contents: nil))
                let opened = open(gate, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
                #expect(opened >= 0)
                close(opened)
                try await started
                #expect(try await query(server, "SELECT n FROM kept") == "7")
            }
        }
    }

    @Test
    func `a crash of the server loses nothing, and a start restarts it`() async throws {
        try await withFolder { folder in
            try await withServer(folder, options: .patient) { server in
                try await server.start()
                try await query(server, "CREATE TABLE kept AS SELECT 7 AS n")
                let first = try #require(postmaster(folder))
                try await server.kill9()
                try await server.start()
                #expect(postmaster(folder) != first)
                #expect(try await query(server, "SELECT n FROM kept") == "7")
            }
        }
    }

    @Test
    func `an interrupted creation is repaired by the next start`() async throws {
        try await withFolder { folder in
            // The remains of a power failure in the middle of initdb.
            let remains = "\(folder)/data.new-abcdef"
            try #require(mkdir(remains, 0o700) == 0)
            try Data("15\n".utf8).write(to: URL(filePath: "\(remains)/PG_VERSION"))
            try await withServer(folder) { server in
                try await server.start()
                #expect(!exists(remains))
                #expect(try await query(server, "SELECT 1") == "1")
            }
        }
    }

    @Test
    func `an initdb that is killed is an error, and the next start works`() async throws {
        try await withFolder { folder in
            try await withServer(folder) { server in
                let start = Task { try await server.start() }
                // The program that changes the user becomes initdb, and has no command line for a moment.
                var process: pid_t?
                try await eventually("initdb begins") {
                    process = initdb(makingIn: folder)
                    return process != nil
                }
                kill(try #require(process), SIGKILL)
                let error = await #expect(throws: LocalPostgresError.self) { try await start.value }
                #expect(error?.code == .commandFailed)
                // The server that initdb started for itself ends when it notices the death of initdb.
                try await eventually("no process writes any more") { try LocalPostgres.state(of: folder) == .empty }
                try await server.start()
                #expect(try LocalPostgres.state(of: folder) == .complete)
                #expect(try await query(server, "SELECT 1") == "1")
                #expect(try unfinished(in: folder) == [])
            }
        }
    }

    // The program is killed with SIGKILL. Its initdb lives on and writes into the folder that the next start removes.
    @Test
    func `a start waits for an initdb that outlives its program`() async throws {
        try await withFolder { folder in
            #expect(try LocalPostgres.state(of: folder) == .empty)
            await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String] in
                let server = try makeServer(folder)
                let start = Task { try await server.start() }
                try await eventually("initdb begins") { try unfinished(in: folder).contains { exists("\($0)/base") } }
                kill(try #require(initdb(makingIn: folder)), SIGSTOP)
                kill(getpid(), SIGKILL)
                try await start.value
            }
            let orphan = try #require(initdb(makingIn: folder))
            // Also after an expectation throws: nothing else would continue the stopped process.
            defer { kill(orphan, SIGCONT) }
            let remains = try unfinished(in: folder)
            #expect(remains.count == 1)
            #expect(try LocalPostgres.state(of: folder) == .creating)
            var impatient = LocalPostgres.Options.throwaway
            impatient.startTimeout = .seconds(3)
            try await withServer(folder, options: impatient) { server in
                let error = await #expect(throws: LocalPostgresError.self) { try await server.start() }
                #expect(error?.code == .timedOut)
                #expect(error?.message.contains("making.lock") == true)
                #expect(remains.allSatisfy(exists), "it was removed under the initdb that writes into it")
            }
            kill(orphan, SIGCONT)
            try await withServer(folder) { server in
                try await server.start()
                #expect(try await query(server, "SELECT 1") == "1")
                #expect(try unfinished(in: folder) == [])
                // Its number stays in use until its parent, which is not this process, reads its exit status.
                try await eventually("it has ended") { initdb(makingIn: folder) == nil }
            }
        }
    }

    @Test
    func `a cancelled start leaves nothing running and the next one works`() async throws {
        try await withFolder { folder in
            try await withServer(folder) { server in
                let start = Task { try await server.start() }
                try await eventually("initdb begins") {
                    (try? FileManager.default.contentsOfDirectory(atPath: folder))?
                        .contains { $0.hasPrefix("data.new-") } == true
                }
                start.cancel()
                await #expect(throws: (any Error).self) { try await start.value }
                #expect(postmaster(folder) == nil)
                try await server.start()
                #expect(try await query(server, "SELECT 1") == "1")
            }
        }
    }

    // After a reboot, the number in postmaster.pid can belong to any program. Here it belongs to a server on other data.
    @Test
    func `a stale pid file does not hinder a start`() async throws {
        try await withFolder { folder in
            try await withServer("\(folder)/other") { other in
                try await other.start()
                try await withServer("\(folder)/stale") { server in
                    try await server.start()
                    let file = "\(folder)/stale/data/postmaster.pid"
                    let text = try String(contentsOfFile: file, encoding: .utf8)
                    let own = try #require(postmaster("\(folder)/stale"))
                    let number = try #require(postmaster("\(folder)/other"))
                    await server.stop(mode: .immediate)
                    let stale = text.replacing("\(own)\n", with: "\(number)\n", maxReplacements: 1)
                    try Data(stale.utf8).write(to: URL(filePath: file))
                    var owner = stat()
                    try #require(stat("\(folder)/stale/data", &owner) == 0)
                    try #require(chown(file, owner.st_uid, owner.st_gid) == 0)
                    try await server.start()
                    #expect(try await query(server, "SELECT 1") == "1")
                    #expect(try await query(other, "SELECT 1") == "1")
                }
            }
        }
    }

    @Test
    func `a folder whose path is too long for a socket works`() async throws {
        try await withFolder { folder in
            let long = folder + "/" + String(repeating: "d", count: 90) + "/it's \"quoted\" $HOME"
            try await withServer(long) { server in
                try await server.start()
                #expect(try await query(server, "SELECT 1") == "1")
                let socket = try String(contentsOfFile: "\(long)/socket-folder", encoding: .utf8)
                await server.stop()
                #expect(!exists(socket))
                try await server.start()
                #expect(try await query(server, "SELECT 1") == "1")
            }
        }
    }
}
