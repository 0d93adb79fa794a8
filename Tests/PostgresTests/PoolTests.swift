import FoundationEssentials
import Locks
import Postgres
import TestSupport
import Testing

/// `PostgresPool` on a real server.
@Suite(.hangLimit) struct PoolTests {
    private static let one = Statement("SELECT 1")
    private static let process = Statement("SELECT pg_backend_pid()")

    private final class Order: Sendable {
        private let numbers = Locked<[Int]>([])
        var all: [Int] { numbers.withLock(\.self) }
        func note(_ number: Int) { numbers.withLock { $0.append(number) } }
    }

    @Test func `under load the server never has more connections than the limit of the pool`() async throws {
        try await withFixture { fixture in
            try await fixture.withPool(PostgresPoolOptions(maximumConnections: 3, leaseDeadline: .ample)) {
                pool in
                let count = Statement(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
                )
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<300 { group.addTask { try await pool.query(count)[0].decode(0) } }
                    let most = try await group.reduce(0, max)
                    #expect(most <= 3)
                }
                #expect(pool.usage.open <= 3)
                #expect(pool.usage.waiting == 0)
            }
        }
    }

    @Test func `callers get connections in the order in which they ask`() async throws {
        try await withFixture { fixture in
            try await fixture.withPool(PostgresPoolOptions(maximumConnections: 1, leaseDeadline: .ample)) {
                pool in
                let order = Order()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    try await pool.withConnection { _ in
                        for number in 0..<20 {
                            group.addTask { try await pool.withConnection { _ in order.note(number) } }
                            try await eventually("the caller waits") { pool.usage.waiting == number + 1 }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(order.all == Array(0..<20))
            }
        }
    }

    @Test func `owners take turns, and in a full queue the one with the most loses its last caller`() async throws {
        try await withFixture { fixture in
            let options = PostgresPoolOptions(maximumConnections: 1, maximumWaiters: 3, leaseDeadline: .ample)
            try await fixture.withPool(options) { pool in
                let (large, small) = (UUID(), UUID())
                let order = Order()
                try await withThrowingTaskGroup(of: PostgresError.Code?.self) { group in
                    try await pool.withConnection { _ in
                        for (number, owner) in [large, large, large, small].enumerated() {
                            group.addTask {
                                await failure {
                                    // A task that is started on behalf of an owner asks on its behalf, too.
                                    try await PostgresFairness.with(owner: owner) {
                                        try await Task { try await pool.withConnection { _ in order.note(number) } }
                                            .value
                                    }
                                }?
                                .code
                            }
                            guard owner == large else { break }
                            try await eventually("the caller waits") { pool.usage.waiting == number + 1 }
                        }
                        #expect(try await group.next() == .some(.queueFull))
                    }
                    while let code = try await group.next() { #expect(code == nil) }
                }
                #expect(order.all == [0, 3, 1])
            }
        }
    }

    // The attack: work for which nobody waits adds up, because each of it has a connection of its own.
    @Test func `work that follows keeps its connection, and only the next caller waits for it`() async throws {
        try await withFixture { fixture in
            try await fixture.withPool(PostgresPoolOptions(maximumConnections: 1, leaseDeadline: .ample)) { pool in
                let (end, work) = AsyncStream.makeStream(of: Void.self)
                let first = try await pool.withConnection(leaving: { connection in
                    let followUp: PostgresPool.FollowUp = { _ in for await _ in end {} }
                    return (connection.backendProcessID, followUp)
                })
                let next = Task { try await pool.withConnection { $0.backendProcessID } }
                try await eventually("the next caller waits") { pool.usage.waiting == 1 }
                work.finish()
                let second = try await next.value
                #expect(second == first)
            }
        }
    }

    @Test func `callers that wait too long, are too many or are cancelled get an error, and others are served`()
        async throws
    {
        try await withFixture { fixture in
            let hasty = PostgresPoolOptions(maximumConnections: 1, leaseDeadline: .milliseconds(100))
            try await fixture.withPool(hasty) { pool in
                try await pool.withConnection { _ in
                    #expect(await failure { try await pool.query(Self.one) }?.code == .poolTimedOut)
                    #expect(pool.usage.waiting == 0)
                }
                let rows = try await pool.query(Self.one)
                #expect(rows.count == 1)
            }
            // Here no deadline passes while the callers are counted.
            let patient = PostgresPoolOptions(maximumConnections: 1, maximumWaiters: 2, leaseDeadline: .ample)
            try await fixture.withPool(patient) { pool in
                try await withThrowingTaskGroup(of: Int.self) { group in
                    try await pool.withConnection { _ in
                        group.addTask { try await pool.query(Self.one).count }
                        try await eventually("the caller waits") { pool.usage.waiting == 1 }
                        let cancelled = Task { try await pool.query(Self.one) }
                        try await eventually("both callers wait") { pool.usage.waiting == 2 }
                        #expect(await failure { try await pool.query(Self.one) }?.code == .queueFull)
                        cancelled.cancel()
                        #expect(await failure { try await cancelled.value }?.code == .cancelled)
                    }
                    #expect(try await group.next() == 1)
                }
            }
        }
    }

    @Test func `a connection that broke while idle is replaced, and no caller sees the failure`() async throws {
        try await withFixture { fixture in
            try await fixture.withPool { pool in
                for _ in 0..<5 {
                    let process = try await pool.query(Self.process)[0].decode(0, as: Int.self)
                    try await administer("SELECT pg_terminate_backend(\(process))")
                    try await eventually("the loss is noticed") { pool.usage.open == 0 }
                    let next = try await pool.query(Self.process)[0].decode(0, as: Int.self)
                    #expect(next != process)
                }
            }
        }
    }

    // The next caller would work in the transaction of the caller before it, and see or commit its changes.
    @Test func `a connection with an open transaction is not lent to the next caller`() async throws {
        try await withFixture { fixture in
            try await fixture.withPool(PostgresPoolOptions(maximumConnections: 1, leaseDeadline: .ample)) {
                pool in
                let first = try await pool.withConnection { connection in
                    try await connection.script("CREATE TABLE t (a int)")
                    try await connection.script("BEGIN; INSERT INTO t VALUES (1)")
                    return connection.backendProcessID
                }
                let second = try await pool.withConnection { connection in
                    let count = try await connection.number("SELECT count(*) FROM t")
                    #expect(count == 0)
                    try await connection.query(Statement("BEGIN", prepared: false))
                    return connection.backendProcessID
                }
                let third = try await pool.query(Self.process)[0].decode(0, as: Int32.self)
                #expect(Set([first, second, third]).count == 3)
            }
        }
    }

    // The answer can arrive before the server announces the end of its transaction. The pool must not close the connection for that.
    @Test func `a connection is reused after failures and large results`() async throws {
        try await withFixture { fixture in
            try await fixture.withPool(PostgresPoolOptions(maximumConnections: 1, leaseDeadline: .ample)) {
                pool in
                let first = try await pool.query(Self.process)[0].decode(0, as: Int.self)
                for size in [1, 8150, 8180, 8192, 8200, 16_384, 100_000] {
                    let rows = try await pool.query(Statement("SELECT repeat('x', $1::int4)"), [Int32(size)])
                    #expect(rows.count == 1)
                    _ = await failure { try await pool.query(Statement("SELECT 1 / 0")) }
                    _ = await failure { try await pool.transaction { try await $0.script("SELECT 1 / 0") } }
                }
                let last = try await pool.query(Self.process)[0].decode(0, as: Int.self)
                #expect(last == first)
            }
        }
    }

    @Test
    func
        `at shutdown waiting callers get closed, leased connections finish their work, and then no connection is open`()
        async throws
    {
        try await withFixture { fixture in
            let pool = try fixture.pool(PostgresPoolOptions(maximumConnections: 2, leaseDeadline: .ample))
            let idle = try await pool.withConnection { outer in
                try await pool.query(Self.one)
                return outer
            }
            #expect(pool.usage.open == 2)
            try await pool.withConnection { first in
                try await pool.withConnection { second in
                    let waiting = Task { try await pool.query(Self.one) }
                    try await eventually("the caller waits") { pool.usage.waiting == 1 }
                    await pool.shutdown()
                    #expect(await failure { try await waiting.value }?.code == .closed)
                    #expect(await failure { try await pool.query(Self.one) }?.code == .closed)
                    let rows = try await second.query(Self.one)
                    #expect(rows.count == 1)
                    #expect(first.isUsable)
                }
            }
            #expect(pool.usage.open == 0)
            #expect(!idle.isUsable)
        }
    }

    @Test func `a pool closes its connections when its last reference goes`() async throws {
        try await withFixture { fixture in
            let observer = try await fixture.connect()
            do {
                let pool = try fixture.pool()
                try await pool.query(Self.one)
            }
            try await eventually("no connection is left") {
                try await observer.number(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                ) == 0
            }
        }
    }

    @Test func `callers that are cancelled while connections are opened free their slots`() async throws {
        try await withFixture { fixture in
            try await fixture.withPool(PostgresPoolOptions(maximumConnections: 2, leaseDeadline: .ample)) {
                pool in
                for round in 0..<30 {
                    let tasks = (0..<6).map { _ in Task { try await pool.query(Self.one) } }
                    if round % 2 == 0 { await Task.yield() }
                    for task in tasks { task.cancel() }
                    for task in tasks { _ = await task.result }
                }
                try await eventually("no caller waits") {
                    pool.usage.waiting == 0 && pool.usage.open == pool.usage.idle
                }
                #expect(pool.usage.open <= 2)
                let rows = try await pool.query(Self.one)
                #expect(rows.count == 1)
            }
        }
    }
}
