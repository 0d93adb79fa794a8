import Glibc
import Postgres
import TestSupport
import Testing

/// One deadline for all waits of a task.
@Suite(.hangLimit) struct CommonDeadlineTests {
    private static let one = Statement("SELECT 1")

    // A machine that hangs obeys no cancellation, for which its caller waited three seconds more than it had.
    @Test func `a frozen session costs a caller the common deadline, and hardly more`() async throws {
        try await withServer { server, _ in
            try await PostgresConnection.with(
                server.configuration(),
                reactor: try TestReactor.shared,
                logger: LogCollector().logger
            ) { connection in
                let process = connection.backendProcessID
                let start = ContinuousClock.now
                let error = await failure {
                    try await PostgresDeadline.with(.seconds(2)) {
                        try await connection.transaction { session in
                            try #require(kill(process, SIGSTOP) == 0)
                            try await session.query(Self.one, deadline: .ample)
                        }
                    }
                }
                #expect(kill(process, SIGCONT) == 0)
                #expect(ContinuousClock.now - start < .seconds(4).onThisMachine)
                #expect(error?.code == .deadlineExceeded)
                #expect(!connection.isUsable)
            }
        }
    }

    // A caller with a hundredth of a second left made the pool pause, so that callers with time were refused.
    @Test func `the end of a caller's own time is no failure of the server`() async throws {
        let listener = try SilentListener()
        try await PostgresPool.with(
            try listener.configuration(),
            reactor: try TestReactor.shared,
            logger: LogCollector().logger
        ) { pool in
            let error = await failure {
                try await PostgresDeadline.with(.milliseconds(50)) { try await pool.query(Self.one) }
            }
            #expect(error?.code == .connectFailed)
            #expect(pool.statistics.connectionAttempts == 1)
            #expect(pool.statistics.failedAttempts == 0)
        }
    }

    // Work that goes on for as long as the program runs ended with the time of the request that had started it.
    @Test func `a task that is started without the common deadline has none`() async throws {
        let (bound, free) = await PostgresDeadline.with(.seconds(1)) {
            let bound = Task { PostgresDeadline.remaining }
            let free = PostgresDeadline.without { Task { PostgresDeadline.remaining } }
            return (await bound.value, await free.value)
        }
        #expect(bound != nil)
        #expect(free == nil)
    }
}
