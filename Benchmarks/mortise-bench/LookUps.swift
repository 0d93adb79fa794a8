import KeyStore
import Logging
import Postgres
import Synchronization

/// The number of look-ups of all clients.
private final class Tally: Sendable {
    let done = Atomic<Int>(0)
}

/// Single-row prepared look-ups: `pgbench` against `PostgresPipeline`, the same query text on the same rows.
enum LookUps {
    struct Result {
        let pgbench: Double
    }

    /// The look-up of a verification, with the digest computed from a number, which is what `pgbench` can draw at random.
    static let sql = KeyLookup.byDigest.sql.split(separator: "$1", omittingEmptySubsequences: false)
        .joined(separator: "decode(lpad(to_hex($1::integer), 64, '0'), 'hex')")
    private static let statement = Statement(sql)

    static func measure(_ installation: Installation, _ options: BenchOptions) async throws
        -> Result
    {
        let configuration = try PostgresConfiguration(installation.workspaceConnection)
        let script = Self.sql.split(separator: "$1::integer").joined(separator: ":n::integer")
        let file = try installation.write("lookup.sql", "\\set n random(1, \(options.keys))\n\(script);\n")
        let reactors = [try Reactor(name: "lookups-0"), try Reactor(name: "lookups-1")]
        var pgbench: [Double] = []
        var one: [Double] = []
        var two: [Double] = []
        var pgbenchAlone: [Double] = []
        var alone: [Double] = []
        for _ in 0..<options.rounds {
            pgbench.append(try await installation.pgbench(file, clients: options.clients, seconds: options.seconds))
            one.append(try await Self.run(configuration, options, [reactors[0]], clients: options.clients))
            two.append(try await Self.run(configuration, options, reactors, clients: options.clients))
            pgbenchAlone.append(try await installation.pgbench(file, clients: 1, seconds: options.seconds))
            alone.append(try await Self.run(configuration, options, [reactors[0]], clients: 1))
        }
        for reactor in reactors { await reactor.shutdown() }
        let yardstick = Report.median(pgbench)
        let best = max(Report.median(one), Report.median(two))
        Report.line("look-ups/s, 64 at a time, one connection: \(Report.number(Report.median(one)))")
        Report.line("look-ups/s, 64 at a time, two connections: \(Report.number(Report.median(two)))")
        Report.ratio(
            "look-ups/s against pgbench -M prepared -c 64",
            best,
            yardstick,
            goal: "at least 2.0x",
            isMet: best >= 2 * yardstick
        )
        let latency = 1_000_000 / Report.median(alone)
        let pgbenchLatency = 1_000_000 / Report.median(pgbenchAlone)
        Report.ratio(
            "µs a look-up, one at a time, against pgbench -c 1",
            latency,
            pgbenchLatency,
            goal: "at most 1.5x",
            isMet: latency <= 1.5 * pgbenchLatency
        )
        return Result(pgbench: yardstick)
    }

    /// Clients run on the threads of the reactors, as the server's requests do.
    private static func run(
        _ configuration: PostgresConfiguration,
        _ options: BenchOptions,
        _ reactors: [Reactor],
        clients: Int
    ) async throws -> Double {
        let pipeline = PostgresPipeline(configuration, reactors: reactors, logger: Logger(label: "bench"))
        let tally = Tally()
        let start = ContinuousClock.now
        let end = start + .seconds(options.seconds)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<clients {
                group.addTask(executorPreference: reactors[client % reactors.count]) {
                    var generator = SystemRandomNumberGenerator()
                    var count = 0
                    while ContinuousClock.now < end {
                        let n = Int32.random(in: 1...Int32(options.keys), using: &generator)
                        guard try await pipeline.query(Self.statement, [n]).count == 1 else {
                            throw BenchError.failed("a look-up found nothing")
                        }
                        count += 1
                    }
                    tally.done.add(count, ordering: .relaxed)
                }
            }
            try await group.waitForAll()
        }
        await pipeline.shutdown()
        return Double(tally.done.load(ordering: .relaxed)) / ((ContinuousClock.now - start) / .seconds(1))
    }
}
