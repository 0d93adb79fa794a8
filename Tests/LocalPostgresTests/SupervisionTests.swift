import FoundationEssentials
import Glibc
import LocalPostgres
import Logging
import TestSupport
import Testing

/// The server of an installation is killed, by the system's out-of-memory killer or by hand, or told to stop.
@Suite(.hangLimit)
struct SupervisionTests {
    private static func limits(attempts: Int = 8) -> LocalPostgres.Supervision {
        var limits = LocalPostgres.Supervision()
        limits.interval = .milliseconds(20)
        limits.firstDelay = .milliseconds(10)
        limits.longestDelay = .milliseconds(20)
        limits.maximumAttempts = attempts
        return limits
    }

    private static func server(_ folder: String, _ log: LogCollector) throws -> LocalPostgres {
        LocalPostgres(installation: try .find(), directory: folder, options: .patient, logger: log.logger)
    }

    @Test
    func `a server that is killed is started again, with its data and a line in the log`() async throws {
        try await withFolder { folder in
            let log = LogCollector()
            let server = try Self.server(folder, log)
            try await server.start()
            try await query(server, "CREATE TABLE kept AS SELECT 7 AS n")
            let supervisor = Task { try await server.supervise(Self.limits()) }
            for _ in 0..<2 {
                let killed = try #require(postmaster(folder))
                try await server.kill9()
                try await eventually("another server runs") { postmaster(folder).map { $0 != killed } ?? false }
                try await eventually("it answers") { (try? await query(server, "SELECT n FROM kept")) == "7" }
            }
            // The second kill can hit a server that is still being started, which is a failed start and not a second end.
            let ended = "the PostgreSQL server has ended and is started again"
            let lines = log.lines.filter { $0.level == .error }.map(\.message)
            #expect(lines.count >= 2 && lines.first == ended, "\(lines)")
            #expect(Set(lines).isSubset(of: [ended, "the PostgreSQL server could not be started again"]))
            // A stop is no crash.
            await server.stop(mode: .immediate)
            try await supervisor.value
            #expect(postmaster(folder) == nil)
        }
    }

    // The fault: `kill` without `-9`. The old sessions go on, new ones are refused, and it stays so.
    @Test
    func `a server that was told to stop and waits for its sessions is started again`() async throws {
        try await withFolder { folder in
            let log = LogCollector()
            let server = try Self.server(folder, log)
            try await server.start()
            let supervisor = Task { try await server.supervise(Self.limits()) }
            let told = try #require(postmaster(folder))
            let session = Task { try await query(server, "SELECT pg_sleep(3600)") }
            try await eventually("the session runs") {
                try await query(server, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'")
                    == "1"
            }
            #expect(kill(told, SIGTERM) == 0)
            try await eventually("another server runs") { postmaster(folder).map { $0 != told } ?? false }
            try await eventually("it answers") { (try? await query(server, "SELECT 7")) == "7" }
            await #expect(throws: QueryFailure.self) { try await session.value }
            let lines = log.lines.filter { $0.level == .error }.map(\.message)
            #expect(lines == ["the PostgreSQL server was told to stop and is started again"])
            await server.stop(mode: .immediate)
            try await supervisor.value
        }
    }

    @Test
    func `a server that cannot be started again ends its supervision with an error`() async throws {
        try await withFolder { folder in
            let log = LogCollector()
            let server = try Self.server(folder, log)
            try await server.start()
            let supervisor = Task { try await server.supervise(Self.limits(attempts: 3)) }
            // Data of a version that is not installed.
            try Data("1\n".utf8).write(to: URL(filePath: "\(folder)/data/PG_VERSION"))
            try await server.kill9()
            await #expect(throws: LocalPostgresError.self) { try await supervisor.value }
            let attempts = log.lines.compactMap { $0.metadata["attempt"] }
            #expect(attempts == ["1 of 3", "2 of 3", "3 of 3"])
            await server.stop(mode: .immediate)
        }
    }

    // Started again after the stop, the server would run on without a user.
    @Test
    func `a stop between two attempts to start a server again ends its supervision`() async throws {
        try await withFolder { folder in
            let log = LogCollector()
            let server = try Self.server(folder, log)
            try await server.start()
            var limits = Self.limits()
            (limits.firstDelay, limits.longestDelay) = (.milliseconds(500), .milliseconds(500))
            let supervisor = Task { [limits] in try await server.supervise(limits) }
            // Data of a version that is not installed, so that every attempt fails.
            try Data("1\n".utf8).write(to: URL(filePath: "\(folder)/data/PG_VERSION"))
            try await server.kill9()
            try await eventually("an attempt has failed") { log.lines.contains { $0.metadata["attempt"] != nil } }
            await server.stop(mode: .immediate)
            try await supervisor.value
            try await eventually("no process is left") { processes(naming: folder).isEmpty }
        }
    }
}
