import Keys
import TestSupport
import Testing

/// Rate limits that several nodes share.
@Suite struct SharedLimitTests {
    private static let millisecond: Int64 = 1_000_000

    /// The cluster database, which adds the reports as its function does.
    private struct Server {
        var minute: Int64 = 0
        var hour: Int64 = 0
        var isNew = true

        mutating func exchange(_ report: RateLimits.Report, at now: Int64) -> RateLimits.Backlog {
            if isNew {
                (minute, hour) = (now + report.known.minute, now + report.known.hour)
                isNew = false
            }
            minute = max(minute, now) + report.added.minute
            hour = max(hour, now) + report.added.hour
            return RateLimits.Backlog(minute: minute - now, hour: hour - now)
        }
    }

    /// A node with an exchange that is on its way.
    private struct Node {
        var usage = RateLimits.Usage()
        let offset: Int64
        var arrivesAt: Int64?
        var answer: RateLimits.Backlog?
        var waiting = 0
    }

    /// Nodes, their server, and an exact limit that counts what they let through together.
    private struct World {
        let limits: RateLimits
        let gcra: GCRA
        var nodes: [Node]
        var server = Server()
        var exactArrival: Int64 = 0
        var accepted = 0
        var worstExcess: Int64 = 0

        init(_ limit: Int, nodes count: Int, _ generator: inout SplitMix64) throws {
            limits = try #require(RateLimits(perMinute: limit, perHour: nil))
            gcra = try #require(GCRA(limit: limit, period: .seconds(60)))
            nodes = (0..<count).map { _ in Node(offset: Int64.random(in: 0...1_000_000_000_000, using: &generator)) }
        }

        private var interval: Int64 { (60_000_000_000 + Int64(gcra.limit) - 1) / Int64(gcra.limit) }

        mutating func accept(at now: Int64) {
            accepted += 1
            exactArrival = max(exactArrival, now) + interval
            let ahead = exactArrival - now - interval * Int64(gcra.limit)
            worstExcess = max(worstExcess, (ahead + interval - 1) / interval)
        }

        /// One use, which waits if it is undecided.
        mutating func use(_ node: Int, at now: Int64, _ generator: inout SplitMix64) {
            let local = now + nodes[node].offset
            switch limits.use(&nodes[node].usage, at: local, nodes: nodes.count) {
            case .decided(let verdict, let wantsExchange):
                if verdict.isAllowed { accept(at: now) }
                if wantsExchange { send(node, at: now, &generator) }
            case .undecided:
                nodes[node].waiting += 1
                send(node, at: now, &generator)
            case nil: Issue.record("there is a limit")
            }
        }

        private mutating func send(_ node: Int, at now: Int64, _ generator: inout SplitMix64) {
            guard nodes[node].arrivesAt == nil else { return }
            let report = limits.report(&nodes[node].usage, at: now + nodes[node].offset)
            nodes[node].answer = server.exchange(report, at: now)
            nodes[node].arrivesAt = now + Int64.random(in: 1...20, using: &generator) * SharedLimitTests.millisecond
        }

        /// Applies the answers that have arrived, and lets the uses that waited go on.
        mutating func arrive(at now: Int64, _ generator: inout SplitMix64) {
            for node in nodes.indices {
                guard let at = nodes[node].arrivesAt, at <= now, let answer = nodes[node].answer else { continue }
                nodes[node].arrivesAt = nil
                limits.apply(answer, to: &nodes[node].usage, at: now + nodes[node].offset, nodes: nodes.count)
                let waiting = nodes[node].waiting
                nodes[node].waiting = 0
                for _ in 0..<waiting { use(node, at: now, &generator) }
            }
        }
    }

    // Attack: a client spreads its requests over all nodes, and changes over from one node to another.
    @Test func `nodes let through no more than the limit and its stated excess, and nearly all of the limit`() throws {
        try forEachSeed(60) { seed, generator in
            let limit = generator.pick([1, 10, 60, 600, 6_000])
            let count = generator.pick([2, 3, 5])
            var world = try World(limit, nodes: count, &generator)
            var favourite = 0
            let (start, length) = (Int64(3_600_000) * Self.millisecond, Int64(120_000))
            for step in 0..<length {
                let now = start + step * Self.millisecond
                world.arrive(at: now, &generator)
                if Int.random(in: 0..<2_000, using: &generator) == 0 {
                    favourite = Int.random(in: 0..<count, using: &generator)
                }
                // Ten times the limit, at least one use in four milliseconds.
                let probability = max(0.25, Double(limit) * 10 / 60_000)
                guard Double.random(in: 0..<1, using: &generator) < probability else { continue }
                let isStray = Int.random(in: 0..<4, using: &generator) == 0
                world.use(isStray ? Int.random(in: 0..<count, using: &generator) : favourite, at: now, &generator)
            }
            let nodes = Int64(count)
            let bound = Int64(limit) * (nodes - 1) / nodes + nodes
            #expect(world.worstExcess <= bound, "seed \(seed): \(limit) on \(count) nodes")
            // The burst, and what becomes available in two minutes.
            let exact = limit + limit * 2
            #expect(world.accepted <= exact + Int(bound), "seed \(seed): \(limit) on \(count) nodes")
            #expect(world.accepted * 10 >= exact * 9, "seed \(seed): \(world.accepted) of \(exact) on \(count) nodes")
        }
    }

    @Test func `a node that is alone is exact and wants no exchange`() throws {
        let limits = try #require(RateLimits(perMinute: 5, perHour: nil))
        var usage = RateLimits.Usage()
        for number in 0..<8 {
            let use = limits.use(&usage, at: 1_000, nodes: 1)
            guard case .decided(let verdict, wantsExchange: false) = use else {
                Issue.record("\(String(describing: use))")
                continue
            }
            #expect(verdict.isAllowed == (number < 5))
        }
    }

    @Test func `a report that was lost is reported again, and counts once`() throws {
        let limits = try #require(RateLimits(perMinute: 600, perHour: nil))
        var usage = RateLimits.Usage()
        for _ in 0..<10 { _ = limits.use(&usage, at: 1_000, nodes: 2) }
        let lost = limits.report(&usage, at: 1_000)
        #expect(lost.added.minute == 10 * 100 * Self.millisecond && lost.known.minute == 0)
        #expect(limits.report(&usage, at: 1_000).added.minute == 0)
        limits.takeBack(lost, to: &usage, at: 1_000, nodes: 2)
        #expect(limits.report(&usage, at: 1_000).added.minute == lost.added.minute)
    }

    // The attack: nodes that do not know of each other let through a limit each, and the excess is forgotten in place of made up for.
    @Test func `a backlog that nodes can have brought about together is kept`() throws {
        for limit in [1, 10, 600] {
            let limits = try #require(RateLimits(perMinute: limit, perHour: nil))
            let period = 60_000 * Self.millisecond
            for nodes in 1...5 {
                let reported = (period + period / Int64(limit) + RateLimits.exchangeSlack) * Int64(nodes)
                var backlog = RateLimits.Backlog(minute: reported, hour: 0)
                let correction = limits.correct(&backlog, nodes: nodes)
                #expect(correction == nil && backlog.minute == reported, "\(limit) on \(nodes) nodes")
            }
        }
    }

    // The fault: the server's clock was set back by ten hours, and a key was refused for ten hours.
    @Test func `a limit with a backlog that no use explains counts as used up, and not for longer`() throws {
        let limits = try #require(RateLimits(perMinute: 60, perHour: 3_600))
        let (minute, hour) = (60_000 * Self.millisecond, 3_600_000 * Self.millisecond)
        var backlog = RateLimits.Backlog(minute: 10 * hour, hour: 11 * hour)
        let correction = try #require(limits.correct(&backlog, nodes: 2))
        #expect(backlog == RateLimits.Backlog(minute: minute, hour: hour))
        #expect(correction.added == RateLimits.Backlog(minute: minute - 10 * hour, hour: -10 * hour))
        #expect(correction.known == RateLimits.Backlog(minute: 0, hour: 0))
        var usage = RateLimits.Usage()
        limits.apply(backlog, to: &usage, at: 1_000, nodes: 2)
        for (time, isAllowed) in [(Int64(1_000), false), (1_000 + 1_000 * Self.millisecond, true)] {
            guard case .decided(let verdict, _) = limits.use(&usage, at: time, nodes: 2) else {
                Issue.record("the use at \(time) is undecided")
                continue
            }
            #expect(verdict.isAllowed == isAllowed, "\(time)")
        }
    }

    // A key that is used slowly costs the cluster database nothing.
    @Test func `uses that are available again are not reported`() throws {
        let limits = try #require(RateLimits(perMinute: 600, perHour: nil))
        var usage = RateLimits.Usage()
        for number in 0..<100 {
            let now = Int64(number) * 200 * Self.millisecond
            guard case .decided(let verdict, wantsExchange: false) = limits.use(&usage, at: now, nodes: 3) else {
                Issue.record("a slow use wants an exchange")
                continue
            }
            #expect(verdict.isAllowed)
        }
    }
}
