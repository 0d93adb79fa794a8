import Keys
import TestSupport
import Testing

/// Limits of uses that cannot wait for the other nodes, such as unknown tokens at a gateway.
@Suite struct CountingLimitTests {
    private static let millisecond: Int64 = 1_000_000
    private static let second: Int64 = 1_000_000_000
    private static let limit = 60

    private static func limits() throws -> RateLimits { try #require(RateLimits(perMinute: limit, perHour: nil)) }

    /// The exchange of a node with the cluster database.
    private enum Exchange {
        case none
        /// The report is on its way.
        case asking(RateLimits.Report, arrivesAt: Int64)
        /// The answer is on its way. `nil` is an answer that is lost.
        case answered(RateLimits.Backlog?, arrivesAt: Int64)
    }

    private struct Node {
        var usage = RateLimits.Usage()
        let offset: Int64
        var exchange = Exchange.none
        var wantsExchange = false
    }

    /// Nodes with clocks of their own, their cluster database, and an exact limit that counts what they count together.
    private struct World {
        let limits: RateLimits
        /// The longest time of a message on its way, in milliseconds.
        let latency: Int64
        /// The part of the messages that are lost.
        let loss: Double
        var nodes: [Node]
        var serverArrival: Int64?
        var exactArrival: Int64 = 0
        var refused = 0
        /// The number of refusals that the exact limit would not have made.
        var early = 0
        /// The most by which the nodes were ahead of the exact limit, in nanoseconds.
        var worstExcess: Int64 = 0

        init(nodes count: Int, latency: Int64, loss: Double, _ generator: inout SplitMix64) throws {
            limits = try CountingLimitTests.limits()
            self.latency = latency
            self.loss = loss
            nodes = (0..<count).map { _ in Node(offset: Int64.random(in: 0...1_000_000_000_000, using: &generator)) }
        }

        mutating func use(_ node: Int, at now: Int64) {
            let (local, count) = (now + nodes[node].offset, nodes.count)
            guard
                case .decided(let verdict, let wantsExchange) =
                    limits.useNow(&nodes[node].usage, at: local, nodes: count)
            else {
                Issue.record("a use is counted or refused")
                return
            }
            if wantsExchange { nodes[node].wantsExchange = true }
            let next = max(exactArrival, now) + CountingLimitTests.second
            let excess = next - now - Int64(CountingLimitTests.limit) * CountingLimitTests.second
            if verdict.isAllowed {
                exactArrival = next
                worstExcess = max(worstExcess, excess)
            } else {
                refused += 1
                if excess <= 0 { early += 1 }
            }
        }

        private func isLost(_ generator: inout SplitMix64) -> Bool {
            Double.random(in: 0..<1, using: &generator) < loss
        }

        private func delay(_ generator: inout SplitMix64) -> Int64 {
            Int64.random(in: 1...latency, using: &generator) * CountingLimitTests.millisecond
        }

        /// Delivers the messages that have arrived, and sends those that are due.
        mutating func deliver(at now: Int64, _ generator: inout SplitMix64) {
            for node in nodes.indices {
                let local = now + nodes[node].offset
                switch nodes[node].exchange {
                case .asking(let report, let time) where time <= now:
                    let backlog = isLost(&generator) ? nil : add(report, at: now)
                    let answer = isLost(&generator) ? nil : backlog
                    nodes[node].exchange = .answered(answer, arrivesAt: now + delay(&generator))
                case .answered(let backlog, let time) where time <= now:
                    if let backlog { limits.learn(backlog, in: &nodes[node].usage, at: local) }
                    nodes[node].exchange = .none
                case .none where nodes[node].wantsExchange:
                    nodes[node].wantsExchange = false
                    let report = limits.report(&nodes[node].usage, at: local)
                    nodes[node].exchange = .asking(report, arrivesAt: now + delay(&generator))
                case .none, .asking, .answered: break
                }
            }
        }

        /// Adds a report as the function of the cluster database does.
        private mutating func add(_ report: RateLimits.Report, at now: Int64) -> RateLimits.Backlog {
            let known = serverArrival.map { max($0, now) } ?? now + report.known.minute
            serverArrival = known + report.added.minute
            return RateLimits.Backlog(minute: known + report.added.minute - now, hour: 0)
        }
    }

    // The fault: a client below the limit is refused, because the reports of the nodes are missing or late.
    @Test func `no use is refused that one exact limit over all nodes allows, and the excess has a bound`() throws {
        try forEachSeed(40) { seed, generator in
            let count = generator.pick([2, 3, 5])
            let loss: Double = generator.pick([0, 0, 0.3])
            let latency: Int64 = generator.pick([20, 490])
            var world = try World(nodes: count, latency: latency, loss: loss, &generator)
            var favourite = 0
            for step in 0..<Int64(40_000) {
                let now = (3_600_000 + step) * Self.millisecond
                world.deliver(at: now, &generator)
                if Int.random(in: 0..<2_000, using: &generator) == 0 {
                    favourite = Int.random(in: 0..<count, using: &generator)
                }
                // Half of the clients pause, so that uses become available again.
                let pauses = seed % 2 == 0 && step / 15_000 % 2 == 1
                var uses = Double.random(in: 0..<1, using: &generator) < (pauses ? 0.000_2 : 0.25) ? 1 : 0
                if !pauses, Int.random(in: 0..<1_000, using: &generator) == 0 { uses += 40 }
                for _ in 0..<uses {
                    let isStray = Int.random(in: 0..<4, using: &generator) == 0
                    world.use(isStray ? Int.random(in: 0..<count, using: &generator) : favourite, at: now)
                }
            }
            #expect(world.early == 0, "seed \(seed) on \(count) nodes")
            #expect(world.refused > 0, "seed \(seed) on \(count) nodes")
            // Nodes that get no report of each other count alone.
            guard loss == 0 else { return }
            let bound = Int64((count - 1) * Self.limit + count) * Self.second + Int64(count) * RateLimits.exchangeSlack
            #expect(world.worstExcess <= bound, "seed \(seed) on \(count) nodes: \(world.worstExcess)")
        }
    }

    // The fault: of two nodes, each had an allowance of three, and the fourth use of a burst was refused.
    @Test func `a burst up to the limit is counted, on whichever node it arrives`() throws {
        for nodes in 1...5 {
            var usage = RateLimits.Usage()
            for number in 0..<Self.limit {
                let use = try Self.limits().useNow(&usage, at: 1_000, nodes: nodes)
                guard case .decided(let verdict, _) = use else {
                    Issue.record("\(String(describing: use))")
                    continue
                }
                #expect(verdict.isAllowed, "\(number) of \(nodes) nodes")
            }
        }
    }

    @Test func `a node that is alone counts exactly the limit and wants no exchange`() throws {
        var usage = RateLimits.Usage()
        for number in 0..<Self.limit + 5 {
            let use = try Self.limits().useNow(&usage, at: 1_000, nodes: 1)
            guard case .decided(let verdict, wantsExchange: false) = use else {
                Issue.record("\(String(describing: use))")
                continue
            }
            #expect(verdict.isAllowed == (number < Self.limit), "\(number)")
        }
    }

    // The attack: messages between a node and the cluster database are lost, and each loss refills the limit.
    @Test func `a node remembers its uses whose report was lost`() throws {
        let limits = try Self.limits()
        var usage = RateLimits.Usage()
        var counted = 0
        for _ in 0..<200 {
            guard case .decided(let verdict, _) = limits.useNow(&usage, at: 1_000, nodes: 2) else { continue }
            if verdict.isAllowed { counted += 1 }
            _ = limits.report(&usage, at: 1_000)
            limits.learn(RateLimits.Backlog(minute: 0, hour: 0), in: &usage, at: 1_000)
        }
        // The limit, and what becomes available while an exchange is on its way.
        #expect(counted == Self.limit + 1)
    }
}
