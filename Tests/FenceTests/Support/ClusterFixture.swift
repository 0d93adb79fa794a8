import FoundationEssentials
import Locks
import Postgres
import SQLFiles
import Synchronization
import TestSupport

@testable import Fence

/// A cluster's database of one test.
struct ClusterFixture: Sendable {
    let configuration: PostgresConfiguration
    let log = LogCollector()

    /// Creates the schema in an empty database.
    static func create(in configuration: PostgresConfiguration) async throws -> ClusterFixture {
        let fixture = ClusterFixture(configuration: configuration.setting("synchronous_commit", "on"))
        try await fixture.withConnection { connection in
            let role = PostgresConnection.quote(identifier: try await connection.text("SELECT current_user::text"))
            for file in SQLFiles.cluster {
                let sql = String(decoding: file.bytes, as: UTF8.self)
                try await connection.script(sql.split(separator: "{{runtime_role}}").joined(separator: role))
            }
        }
        return fixture
    }

    func connect() async throws -> PostgresConnection {
        try await PostgresConnection.connect(configuration, reactor: try TestReactor.shared, logger: log.logger)
    }

    func withConnection<T>(_ body: (PostgresConnection) async throws -> T) async throws -> T {
        try await PostgresConnection.with(configuration, reactor: try TestReactor.shared, logger: log.logger, body)
    }

    /// Runs `body` with the fences of a mutator.
    func withFences<T>(
        clock: @escaping FenceClock = { .now },
        leastTime: Duration = .ample,
        _ body: (ClusterFences) async throws -> T
    ) async throws -> T {
        let pool = PostgresPool(
            configuration,
            options: PostgresPoolOptions(leaseDeadline: .ample),
            reactor: try TestReactor.shared,
            logger: log.logger
        )
        return try await withResource(
            pool,
            { pool in
                let fences = ClusterFences(
                    pool,
                    statementDeadline: .ample,
                    leastTime: leastTime,
                    clock: clock,
                    logger: log.logger
                )
                return try await body(fences)
            },
            close: { await $0.shutdown() }
        )
    }

    /// Runs `body` with a keeper that has a good lease.
    func withKeeper<T>(_ body: (LeaseKeeper) async throws -> T) async throws -> T {
        let keeper = try LeaseKeeper(configuration, logger: log.logger)
        return try await withResource(
            keeper,
            { keeper in
                try await eventually("the lease is good") { keeper.view.lease(at: .now) != nil }
                return try await body(keeper)
            },
            close: { await $0.shutdown() }
        )
    }

    /// Returns the number of rows of a table of the schema.
    func count(_ table: String) async throws -> Int {
        try await withConnection { try await $0.number("SELECT count(*) FROM fence.\(table)") }
    }

    /// Waits until a session waits for an advisory lock.
    func waitForAdvisoryLock() async throws {
        try await withConnection { connection in
            try await eventually("a session waits for the advisory lock") {
                try await connection.number(
                    """
                    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    """
                ) > 0
            }
        }
    }
}

func withCluster<T>(_ body: (ClusterFixture) async throws -> T) async throws -> T {
    try await withDatabase { try await body(try await ClusterFixture.create(in: $0)) }
}

extension PostgresConnection {
    func number(_ sql: String) async throws -> Int {
        try await query(Statement(sql, prepared: false))[0].decode(0)
    }

    func text(_ sql: String) async throws -> String {
        try await query(Statement(sql, prepared: false))[0].decode(0)
    }

    func truth(_ sql: String) async throws -> Bool {
        try await query(Statement(sql, prepared: false))[0].decode(0)
    }
}

/// A clock that stands still until a test moves it.
final class StoppedClock: Sendable {
    private struct State {
        var moment = Moment.now
        var reads = 0
    }

    private let state = Locked(State())

    /// The clock for the product.
    var clock: FenceClock {
        { [self] in
            state.withLock { state in
                state.reads += 1
                return state.moment
            }
        }
    }

    func advance(by duration: Duration) { state.withLock { $0.moment = $0.moment + duration } }

    /// Waits until the product has read the clock several times more, and so has acted on it.
    func waitForReads() async throws {
        let start = state.withLock(\.reads)
        try await eventually("the clock is read again") { state.withLock(\.reads) > start + 6 }
    }
}

/// A note that something has happened.
final class Flag: Sendable {
    private let value = Atomic<Bool>(false)

    var isSet: Bool { value.load(ordering: .sequentiallyConsistent) }

    func set() { value.store(true, ordering: .sequentiallyConsistent) }
}
