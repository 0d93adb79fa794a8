import Logging
import Postgres
import TestSupport
import Testing

/// `Reactor` as a task executor.
@Suite(.hangLimit) struct ReactorTests {
    private static let transaction = Statement("SELECT now(), $1::int8")
    private static let backend = Statement("SELECT pg_backend_pid()")
    private static let wait = Statement("SELECT pg_advisory_lock($1::int8)")
    private static let end = Statement("SELECT pg_advisory_unlock($1::int8)")

    private func withReactors(_ count: Int, _ body: ([Reactor]) async throws -> Void) async throws {
        var reactors: [Reactor] = []
        for index in 0..<count { reactors.append(try Reactor(name: "test-\(index)")) }
        try await withResource(reactors, body) { for reactor in $0 { await reactor.shutdown() } }
    }

    // Statements up to a sync point are one transaction, and now() is the start of the transaction.
    @Test func `the statements that the tasks of a reactor submit in one round leave in one write`() async throws {
        try await withFixture { fixture in
            try await withReactors(1) { reactors in
                try await PostgresPipeline.with(
                    fixture.configuration,
                    reactors: reactors,
                    logger: fixture.log.logger
                ) { pipeline in
                    _ = try await pipeline.query(Self.transaction, [0])
                    let times = try await withTaskExecutorPreference(reactors[0]) {
                        try await withThrowingTaskGroup(of: PostgresTimestamp.self) { group in
                            for number in 1...100 {
                                group.addTask { try await pipeline.query(Self.transaction, [number])[0].decode(0) }
                            }
                            return try await group.reduce(into: Set<PostgresTimestamp>()) { $0.insert($1) }
                        }
                    }
                    #expect(times.count == 1)
                }
            }
        }
    }

    @Test func `a task uses the connection of the reactor that it runs on`() async throws {
        try await withFixture { fixture in
            try await withReactors(2) { reactors in
                try await PostgresPipeline.with(
                    fixture.configuration,
                    reactors: reactors,
                    logger: fixture.log.logger
                ) { pipeline in
                    var backends: [Set<Int>] = [[], []]
                    for _ in 0..<5 {
                        for (index, reactor) in reactors.enumerated() {
                            let backend = try await withTaskExecutorPreference(reactor) {
                                try await pipeline.query(Self.backend)[0].decode(0, as: Int.self)
                            }
                            backends[index].insert(backend)
                        }
                    }
                    #expect(backends.map(\.count) == [1, 1])
                    #expect(backends[0] != backends[1])
                }
            }
        }
    }

    @Test func `a task on a reactor that was shut down runs to its end`() async throws {
        let reactor = try Reactor(name: "short-lived")
        let steps = await withTaskExecutorPreference(reactor) {
            await reactor.shutdown()
            await Task.yield()
            return await withTaskGroup(of: Int.self) { group in
                for number in 1...10 { group.addTask { number } }
                return await group.reduce(0, +)
            }
        }
        #expect(steps == 55)
    }

    @Test func `a statement that a task of the reactor submits is written before the reactor sleeps`() async throws {
        try await withFixture { fixture in
            try await withReactors(1) { reactors in
                try await PostgresPipeline.with(
                    fixture.configuration,
                    reactors: reactors,
                    logger: fixture.log.logger
                ) { pipeline in
                    let sum = try await withTaskExecutorPreference(reactors[0]) {
                        var sum = 0
                        for number in 1...500 {
                            sum += try await pipeline.query(Self.transaction, [number])[0].decode(1, as: Int.self)
                        }
                        return sum
                    }
                    #expect(sum == 125_250)
                }
            }
        }
    }

    private func connections(
        _ count: Int,
        _ fixture: Fixture,
        _ reactor: Reactor
    ) async throws -> [PostgresConnection] {
        var configuration = fixture.configuration
        configuration.cancellationPatience = .ample
        var connections: [PostgresConnection] = []
        for _ in 0..<count {
            connections.append(
                try await PostgresConnection.connect(
                    configuration,
                    reactor: reactor,
                    logger: fixture.log.logger
                )
            )
        }
        return connections
    }

    // Thousands of idle sessions were looked at twenty times a second.
    @Test func `a reactor looks only at the deadlines of sessions with something under way`() async throws {
        try await withFixture { fixture in
            try await withReactors(1) { reactors in
                let reactor = reactors[0]
                let connections = try await connections(5, fixture, reactor)
                let (blocker, blocked) = (connections[0], connections[1])
                try await blocker.query(Self.wait, [1])
                try await eventually("no session is looked at") { reactor.watchedCount == 0 }
                let waiting = Task { try await blocked.query(Self.wait, [1], deadline: .ample) }
                try await fixture.waitUntilRunning("pg_advisory_lock")
                #expect(reactor.watchedCount == 1)
                try await blocker.query(Self.end, [1])
                _ = try await waiting.value
                try await eventually("no session is looked at") { reactor.watchedCount == 0 }
                for connection in connections { await connection.close() }
            }
        }
    }

    @Test func `a deadline of a session that was idle holds`() async throws {
        try await withFixture { fixture in
            try await withReactors(1) { reactors in
                let reactor = reactors[0]
                let connections = try await connections(2, fixture, reactor)
                let (blocker, blocked) = (connections[0], connections[1])
                try await blocker.query(Self.wait, [1])
                for _ in 0..<2 {
                    try await eventually("no session is looked at") { reactor.watchedCount == 0 }
                    let error = await failure {
                        try await blocked.query(Self.wait, [1], deadline: .milliseconds(100).onThisMachine)
                    }
                    #expect(error?.code == .deadlineExceeded)
                }
                for connection in connections { await connection.close() }
            }
        }
    }
}
