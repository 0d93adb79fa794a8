import FoundationEssentials
import Glibc
import LocalPostgres
import TestSupport
import Testing

@Suite(.hangLimit)
struct SharingTests {
    @Test
    func `two starts at once share one server, and the last user stops it`() async throws {
        try await withFolder { folder in
            try await withServer(folder) { first in
                try await withServer(folder) { second in
                    async let one: Void = first.start()
                    async let two: Void = second.start()
                    _ = try await (one, two)
                    let began = "SELECT pg_postmaster_start_time()"
                    #expect(try await query(first, began) == query(second, began))
                    await first.stop()
                    #expect(try await query(second, "SELECT 1") == "1")
                    await second.stop()
                    #expect(postmaster(folder) == nil)
                }
            }
        }
    }

    // Two containers share a data folder. The process id of the other one's server is free here, or another program's.
    @Test(arguments: [4_194_303, getpid()])
    func `a server of another container keeps its folder`(processID: pid_t) async throws {
        try await withFolder { folder in
            try await withServer(folder) { first in
                try await first.start()
                let path = "\(folder)/data/postmaster.pid"
                let file = try String(contentsOfFile: path, encoding: .utf8)
                let foreign =
                    ["\(processID)"] + file.split(separator: "\n", omittingEmptySubsequences: false).dropFirst()
                try foreign.joined(separator: "\n").write(toFile: path, atomically: false, encoding: .utf8)
                var options = LocalPostgres.Options.throwaway
                options.startTimeout = .seconds(1)
                let second = try makeServer(folder, options: options)
                let error = await #expect(throws: LocalPostgresError.self) { try await second.start() }
                #expect(error?.message.contains("if it runs in another container, stop it there") == true)
                #expect(try String(contentsOfFile: path, encoding: .utf8) == foreign.joined(separator: "\n"))
                try file.write(toFile: path, atomically: false, encoding: .utf8)
                #expect(try await query(first, "SELECT 1") == "1")
            }
        }
    }

    @Test
    func `a start uses a server that outlived its users`() async throws {
        try await withFolder { folder in
            await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String] in
                let server = try makeServer(folder)
                try await server.start()
                for watcher in processes(naming: "flock", folder) { kill(watcher, SIGKILL) }
                kill(getpid(), SIGKILL)
            }
            let orphan = try #require(postmaster(folder))
            #expect(kill(orphan, 0) == 0)
            try await withServer(folder) { server in
                try await server.start()
                #expect(postmaster(folder) == orphan)
                #expect(try await query(server, "SELECT 1") == "1")
                await server.stop()
                #expect(postmaster(folder) == nil)
            }
        }
    }

    @Test
    func `a server does not outlive a killed process`() async throws {
        try await withFolder { folder in
            await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String] in
                let server = try makeServer(folder)
                try await server.start()
                kill(getpid(), SIGKILL)
            }
            try await eventually("the watcher stops the server") { postmaster(folder) == nil }
            try await eventually("no process is left") { processes(naming: folder).isEmpty }
        }
    }

    @Test
    func `a throwaway server leaves nothing after its process is killed`() async throws {
        try await withFolder { folder in
            await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String] in
                let server = try await LocalPostgres.throwaway(
                    environment: ["TMPDIR": folder, "PATH": "/usr/bin"],
                    logger: quiet
                )
                try await query(server, "SELECT 1")
                kill(getpid(), SIGKILL)
            }
            try await eventually("the folder is removed") {
                (try? FileManager.default.contentsOfDirectory(atPath: folder)) == []
            }
            try await eventually("no process is left") { processes(naming: folder).isEmpty }
        }
    }

    @Test
    func `a throwaway server leaves nothing after it is stopped`() async throws {
        try await withFolder { folder in
            let server = try await LocalPostgres.throwaway(environment: ["TMPDIR": folder], logger: quiet)
            #expect(try await query(server, "SHOW fsync") == "off")
            #expect(try await query(server, "SHOW max_connections") == "300")
            await server.stop(mode: .immediate)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
            try await eventually("no process is left") { processes(naming: folder).isEmpty }
        }
    }

    // On a busy machine, the watcher of a server gets its lock late: the server was stopped, and another start uses the path.
    @Test
    func `a watcher removes no folder but its own`() async throws {
        try await withFolder { folder in
            let server = try await LocalPostgres.throwaway(environment: ["TMPDIR": folder], logger: quiet)
            let watcher = try #require(processes(naming: "flock", server.directory, "rm -rf").first)
            try #require(kill(watcher, SIGSTOP) == 0)
            await server.stop(mode: .immediate)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
            try await server.start()
            try #require(kill(watcher, SIGCONT) == 0)
            try await eventually("the first watcher ends") { !processes(naming: server.directory).contains(watcher) }
            #expect(try await query(server, "SELECT 1") == "1")
            #expect(exists("\(server.directory)/data/PG_VERSION"))
            await server.stop(mode: .immediate)
            try await eventually("no process is left") { processes(naming: folder).isEmpty }
        }
    }
}
