import Locks
import Postgres
import TestSupport
import Testing

/// Resources are closed once, on every path out of their scope.
@Suite struct ScopedResourceTests {
    private struct BodyError: Error {}
    private struct CloseError: Error {}

    /// A resource that counts how often it was closed, and notes if the closing task was cancelled.
    private final class Door: Sendable {
        let closings = Locked<[Bool]>([])
        var wasCancelled: [Bool] { closings.withLock(\.self) }
        func close() { closings.withLock { $0.append(Task.isCancelled) } }
    }

    @Test func `a resource is closed once after its body returns`() async {
        let door = Door()
        let value = await withResource(door) { _ in
            7
        } close: {
            $0.close()
        }
        #expect(value == 7)
        #expect(door.wasCancelled == [false])
    }

    @Test func `a resource is closed once after its body throws, and the error of the body is thrown`() async {
        let door = Door()
        await #expect(throws: BodyError.self) {
            try await withResource(door) { _ in
                throw BodyError()
            } close: { door in
                door.close()
                throw CloseError()
            }
        }
        #expect(door.wasCancelled == [false])
    }

    @Test func `an error of closing is thrown if the body returned`() async {
        await #expect(throws: CloseError.self) {
            try await withResource(Door()) { _ in
            } close: { _ in
                throw CloseError()
            }
        }
    }

    @Test func `a cancelled task closes its resource, and the cancellation does not reach the closing`() async {
        let door = Door()
        let task = Task {
            try await withResource(door) { _ in
                withUnsafeCurrentTask { $0?.cancel() }
                try Task.checkCancellation()
            } close: {
                $0.close()
            }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(door.wasCancelled == [false])
    }

    @Test func `connections, pools, pipelines and reactors are closed when their body ends`() async throws {
        try await withFixture { fixture in
            let (configuration, logger) = (fixture.configuration, fixture.log.logger)
            let one = Statement("SELECT 1")
            let (reactor, connection, pool, pipeline) = try await Reactor.with(name: "scoped") { reactor in
                let connection = try await PostgresConnection.with(configuration, reactor: reactor, logger: logger) {
                    try await $0.query(one)
                    return $0
                }
                let pool = try await PostgresPool.with(configuration, reactor: reactor, logger: logger) {
                    try await $0.query(one)
                    return $0
                }
                let pipeline = try await PostgresPipeline.with(configuration, reactors: [reactor], logger: logger) {
                    _ = try await $0.query(one)
                    return $0
                }
                return (reactor, connection, pool, pipeline)
            }
            #expect(await failure { try await connection.query(one) }?.code == .closed)
            #expect(await failure { try await pool.query(one) }?.code == .closed)
            #expect(await failure { try await pipeline.query(one) }?.code == .closed)
            let late = await failure {
                try await PostgresConnection.connect(configuration, reactor: reactor, logger: logger)
            }
            #expect(late?.code == .closed)
        }
    }
}
