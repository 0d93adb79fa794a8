import FoundationEssentials
import Keys
import Postgres
import Tenancy
import TestSupport
import Testing

/// The exchange of rate limits over the database of a cluster, with a cleaning after each.
@Suite(.hangLimit) struct LimitExchangeTests {
    private static let second: Int64 = 1_000_000_000

    private func withExchange(_ body: (TestInstallation, LimitExchange) async throws -> Void) async throws {
        try await withInstallation { test in
            let control = try await test.bootstrap()
            let fencing = ClusterFencing(control, limitDeadline: .ample, limitCleaning: .zero)
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await body(test, try fencing.limits(of: control.primary)))
            } catch {
                outcome = .failure(error)
            }
            await fencing.shutdown()
            try outcome.get()
        }
    }

    /// Reports that a key has used its limit per minute, and returns the backlog of all nodes.
    private func report(_ id: UUID, _ added: Int64, _ exchange: LimitExchange) async throws -> Int64 {
        let report = RateLimits.Report(
            added: RateLimits.Backlog(minute: added, hour: 0),
            known: RateLimits.Backlog(minute: 0, hour: 0)
        )
        return try #require(try await exchange.exchange([id: report])[id]).minute
    }

    private func inCluster<T>(
        _ test: TestInstallation,
        _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        try await test.withDatabase(test.installation.clusterDatabase, body)
    }

    // The fault: a cleaning that failed made an error of the exchange before it, which was committed. The node reported its uses again.
    @Test func `an exchange counts once and succeeds although the cleaning after it fails`() async throws {
        try await withExchange { test, exchange in
            let role = PostgresConnection.quote(identifier: test.installation.runtimeRole)
            try await inCluster(test) { try await $0.script("REVOKE DELETE ON limits.arrivals FROM \(role)") }
            let id = UUID()
            #expect(try await report(id, 30 * Self.second, exchange) == 30 * Self.second)
            try await eventually("the log has the failure") {
                test.logs.lines.contains { $0.message.contains("rows that no limit needs could not be deleted") }
            }
            let backlog = try await report(id, 0, exchange)
            #expect(backlog <= 30 * Self.second)
        }
    }

    // The fault: all rows were deleted by one statement in the time of an exchange. Once there were too many, they were never deleted.
    @Test func `all rows that no limit needs are deleted, however many they are, and no other`() async throws {
        try await withExchange { test, exchange in
            let (used, ahead) = (UUID(), UUID())
            try await inCluster(test) { connection in
                try await connection.script(
                    """
                    INSERT INTO limits.arrivals (id, minute_arrival, hour_arrival)
                    SELECT gen_random_uuid(), 1, 1 FROM generate_series(1, 12001);
                    INSERT INTO limits.arrivals (id, minute_arrival, hour_arrival)
                    SELECT v.id::uuid, 1, (extract(epoch FROM now() + v.ahead::interval) * 1000000000)::bigint
                    FROM (VALUES ('\(used)', '2 hours'), ('\(ahead)', '2 days')) v (id, ahead)
                    """
                )
            }
            _ = try await report(UUID(), 3_600 * Self.second, exchange)
            try await eventually("the rows are deleted") {
                try await inCluster(test) { try await $0.texts("SELECT count(*)::text FROM limits.arrivals") } == ["2"]
            }
            let left = try await inCluster(test) {
                try await $0.texts("SELECT id::text FROM limits.arrivals WHERE id IN ('\(used)', '\(ahead)')")
            }
            #expect(left == [used.uuidString.lowercased()])
        }
    }
}
