import Postgres
import TestSupport
import Testing

/// The effects on the server and on the connection when a caller is cancelled or its deadline passes.
@Suite(.hangLimit) struct CancellationTests {
    private static let sleep = Statement("SELECT pg_sleep(600)")
    private static let one = Statement("SELECT 1")

    @Test func `the statement of a cancelled task stops on the server, and the connection stays usable`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let process = connection.backendProcessID
            for _ in 0..<5 {
                let task = Task { try await connection.query(Self.sleep, deadline: .ample) }
                try await fixture.waitUntilRunning("pg_sleep")
                task.cancel()
                #expect(await failure { try await task.value }?.code == .cancelled)
                try await fixture.waitUntilRunning("pg_sleep", false)
                #expect(try await connection.query(Self.one)[0].decode(0, as: Int.self) == 1)
            }
            #expect(connection.backendProcessID == process)
        }
    }

    @Test func `a cancelled script stops on the server, and the connection stays usable`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let task = Task { try await connection.script("SELECT 1; SELECT pg_sleep(600)", deadline: .ample) }
            try await fixture.waitUntilRunning("pg_sleep")
            task.cancel()
            #expect(await failure { try await task.value }?.code == .cancelled)
            #expect(try await connection.query(Self.one).count == 1)
        }
    }

    @Test func `a statement past its deadline stops on the server, and the connection stays usable`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let process = connection.backendProcessID
            for _ in 0..<3 {
                let error = await failure {
                    try await connection.query(Self.sleep, deadline: .milliseconds(100).onThisMachine)
                }
                #expect(error?.code == .deadlineExceeded)
                #expect(error?.wasSent == true)
                #expect(try await connection.query(Self.one).count == 1)
            }
            try await fixture.waitUntilRunning("pg_sleep", false)
            #expect(connection.backendProcessID == process)
        }
    }

    @Test func `a cancelled task sends no statement`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            try await fixture.withPool { pool in
                let pipeline = try fixture.pipeline()
                try await connection.script("CREATE TABLE t (a int)")
                let gate = AsyncStream<Void>.makeStream()
                let task = Task {
                    for await _ in gate.stream {}
                    return [
                        await failure { try await connection.query(Statement("INSERT INTO t VALUES (1)")) },
                        await failure { try await connection.script("INSERT INTO t VALUES (1)") },
                        await failure {
                            try await connection.transaction { try await $0.script("INSERT INTO t VALUES (1)") }
                        },
                        await failure { try await pool.query(Statement("INSERT INTO t VALUES (1)")) },
                        await failure { try await pipeline.query(Self.one) },
                        await failure { try await fixture.connect() },
                    ]
                }
                task.cancel()
                gate.continuation.finish()
                for error in await task.value {
                    #expect(error?.code == .cancelled)
                    #expect(error?.wasSent == false)
                }
                #expect(try await connection.number("SELECT count(*) FROM t") == 0)
                #expect(pool.usage.open == 0)
            }
        }
    }

    @Test func `a task that is cancelled after its answer keeps the answer`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let answered = AsyncStream<Void>.makeStream()
            let task = Task {
                let rows = try await connection.query(Self.one)
                answered.continuation.finish()
                return rows
            }
            for await _ in answered.stream {}
            task.cancel()
            #expect(try await task.value.count == 1)
            #expect(try await connection.query(Self.one).count == 1)
        }
    }

    @Test func `a statement that is not written yet is never executed after its caller has left`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            try await connection.script("CREATE TABLE t (a int)")
            let script = Task { try await connection.script("SELECT pg_sleep(600)", deadline: .ample) }
            try await fixture.waitUntilRunning("pg_sleep")
            let waiting = Task {
                try await connection.query(Statement("INSERT INTO t VALUES (1)"), deadline: .ample)
            }
            waiting.cancel()
            let error = await failure { try await waiting.value }
            #expect(error?.code == .cancelled)
            #expect(error?.wasSent == false)
            let late = await failure {
                try await connection.query(
                    Statement("INSERT INTO t VALUES (2)"),
                    deadline: .milliseconds(100).onThisMachine
                )
            }
            #expect(late?.code == .deadlineExceeded)
            #expect(late?.wasSent == false)
            script.cancel()
            _ = await script.result
            #expect(try await connection.number("SELECT count(*) FROM t") == 0)
        }
    }

    @Test
    func `a caller behind a running statement leaves in time, and its own statement is stopped when its turn comes`()
        async throws
    {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let head = Task { try await connection.query(Self.sleep, deadline: .ample) }
            try await fixture.waitUntilRunning("pg_sleep")
            let left = Task { try await connection.query(Self.sleep, deadline: .ample) }
            // The statement is written behind the first one, which continues.
            let late = await failure {
                try await connection.query(Self.sleep, deadline: .seconds(1).onThisMachine)
            }
            #expect(late?.code == .deadlineExceeded)
            #expect(late?.wasSent == true)
            left.cancel()
            #expect(await failure { try await left.value }?.code == .cancelled)
            let last = Task { try await connection.query(Self.one, deadline: .ample) }
            head.cancel()
            #expect(await failure { try await head.value }?.code == .cancelled)
            #expect(try await last.value.count == 1)
        }
    }

    // The server stops whatever it works on when the cancellation arrives. A neighbor that is hit must not fail.
    @Test func `cancelling statements that are about to end harms no neighbor`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let timer = try await fixture.connect()
            try await connection.script("CREATE TABLE t (a int8)")
            let brief = Statement("SELECT pg_sleep(0.002)")
            let insert = Statement("INSERT INTO t SELECT $1 FROM pg_sleep(0.002)")
            for number in 0..<300 {
                let leaver = Task { try await connection.query(brief) }
                await Task.yield()
                let neighbors = (0..<2).map { _ in Task { try await connection.query(insert, [number]) } }
                // This takes as long as the statement: sometimes the cancellation arrives after the next statement has begun.
                try await timer.query(brief)
                leaver.cancel()
                _ = await leaver.result
                for neighbor in neighbors { _ = try await neighbor.value }
            }
            #expect(try await connection.number("SELECT count(*) FROM t") == 600)
        }
    }

    @Test func `an attempt to connect ends when its task is cancelled`() async throws {
        try await withFixture { fixture in
            let hole = try SilentListener()
            let configuration = try hole.configuration()
            let task = Task { try await fixture.connect(configuration) }
            try await hole.accept()
            task.cancel()
            #expect(await failure { try await task.value }?.code == .cancelled)
            try await hole.waitForHangUp()
        }
    }
}
