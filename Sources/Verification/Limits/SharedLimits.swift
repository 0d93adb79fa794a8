package import FoundationEssentials
package import Keys
import Locks
package import Tenancy

/// The rate limits of the keys of one cluster, which its nodes share.
///
/// A node that is alone is exact and asks nobody. Several nodes report their uses to the cluster database, many keys at a time, and receive
/// the uses of the others. A use that the node's allowance does not cover waits for such an exchange. Decision 0025 has the bound of what
/// they let through together.
package final class SharedLimits: Sendable {
    /// The rule for uses that the node cannot decide exactly, because it has no recent report of the others.
    private enum Rule {
        /// A use waits for an exchange.
        case waits
        /// A use is counted at once, unless the node knows that a limit is used up.
        case counts
    }

    private struct Request {
        let limits: RateLimits
        let rule: Rule
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private struct Queue {
        var requests: [UUID: Request] = [:]
        var isDraining = false
    }

    /// The maximum number of keys that wait for an exchange.
    private static let maximumQueue = 10_000
    /// The maximum number of keys in one exchange.
    private static let batch = 500
    /// The pause between two exchanges, which bounds their number.
    private static let pause = Duration.milliseconds(2)
    /// The exchanges that one use waits for.
    ///
    /// Other uses can take the allowance that an exchange has brought.
    private static let rounds = 3

    private let limiter: UseLimiter
    private let exchange: @Sendable () throws -> LimitExchange
    private let queue = Locked(Queue())

    /// Creates shared limits.
    ///
    /// - Parameters:
    ///   - limiter: Counts the uses on this node.
    ///   - exchange: Returns the exchange with the other nodes. If it throws, the node counts alone.
    package init(_ limiter: UseLimiter, _ exchange: @escaping @Sendable () throws -> LimitExchange) {
        self.limiter = limiter
        self.exchange = exchange
    }

    private var nodes: Int { (try? exchange().nodes) ?? 1 }

    /// Counts one use without a wait, if every limit and this node's allowance permit it.
    ///
    /// - Parameters:
    ///   - key: The id of the key.
    ///   - limits: The limits of the key.
    /// - Returns: The result, or `nil` if there is no limit.
    package func use(_ key: UUID, _ limits: RateLimits) -> RateLimits.SharedUse? {
        let use = limiter.use(key, limits, nodes: nodes)
        if case .decided(_, wantsExchange: true) = use { request(key, limits, .waits, nil) }
        return use
    }

    /// Returns the verdict of a use without counting it.
    ///
    /// The answer uses only what this node knows, so it can be wrong if other nodes have unreported uses.
    ///
    /// - Returns: The verdict, or `nil` if there is no limit, or if this node cannot tell.
    func wouldUse(_ key: UUID, _ limits: RateLimits) -> RateLimitVerdict? {
        guard case .decided(let verdict, _) = limiter.wouldUse(key, limits, nodes: nodes) else { return nil }
        return verdict
    }

    /// Counts one use without a wait, unless this node knows that a limit is used up.
    ///
    /// It refuses no use too early. Decision 0025 has the bound of what several nodes let through before they have each other's reports.
    ///
    /// - Returns: The verdict, or `nil` if there is no limit.
    package func useNow(_ key: UUID, _ limits: RateLimits) -> RateLimitVerdict? {
        guard case .decided(let verdict, let wantsExchange) = limiter.useNow(key, limits, nodes: nodes) else {
            return nil
        }
        if wantsExchange { request(key, limits, .counts, nil) }
        return verdict
    }

    /// Counts one use, after an exchange with the other nodes if it is needed.
    ///
    /// - Returns: The verdict, or `nil` if there is no limit.
    package func useWaiting(_ key: UUID, _ limits: RateLimits) async -> RateLimitVerdict? {
        switch use(key, limits) {
        case .decided(let verdict, _): verdict
        case .undecided: await useAfterExchange(key, limits)
        case nil: nil
        }
    }

    /// Counts one use that was undecided, after an exchange with the other nodes.
    ///
    /// An exchange has a deadline, half a second by default. A use that no exchange could decide is refused.
    ///
    /// - Returns: The verdict, or `nil` if there is no limit.
    package func useAfterExchange(_ key: UUID, _ limits: RateLimits) async -> RateLimitVerdict? {
        for _ in 0..<Self.rounds {
            await withCheckedContinuation { request(key, limits, .waits, $0) }
            switch use(key, limits) {
            case .decided(let verdict, _): return verdict
            case .undecided: continue
            case nil: return nil
            }
        }
        return limiter.refusal(key, limits)
    }

    // MARK: Exchanges

    /// Asks for an exchange.
    ///
    /// - Parameters:
    ///   - key: The id of the key.
    ///   - limits: The limits of the key.
    ///   - rule: The rule of the key's uses, which is always the same.
    ///   - waiter: It is resumed after the exchange, or at once if too many keys wait.
    private func request(
        _ key: UUID,
        _ limits: RateLimits,
        _ rule: Rule,
        _ waiter: CheckedContinuation<Void, Never>?
    ) {
        let (isQueued, starts) = queue.withLock { queue in
            guard queue.requests[key] != nil || queue.requests.count < Self.maximumQueue else { return (false, false) }
            var request = queue.requests[key] ?? Request(limits: limits, rule: rule)
            if let waiter { request.waiters.append(waiter) }
            queue.requests[key] = request
            defer { queue.isDraining = true }
            return (true, !queue.isDraining)
        }
        if !isQueued { waiter?.resume() }
        // The task ends with the queue, which can be long after the deadline of the request that has started it. Every exchange has a
        // deadline.
        if starts { Task.detached { [self] in await drain() } }
    }

    private func drain() async {
        while let requests = nextRequests() {
            await report(requests)
            for waiter in requests.values.flatMap(\.waiters) { waiter.resume() }
            try? await Task.sleep(for: Self.pause)
        }
    }

    /// Takes the requests of the next exchange, or `nil` if there are none.
    private func nextRequests() -> [UUID: Request]? {
        queue.withLock { queue in
            guard !queue.requests.isEmpty else {
                queue.isDraining = false
                return nil
            }
            guard queue.requests.count > Self.batch else {
                defer { queue.requests = [:] }
                return queue.requests
            }
            let batch = queue.requests.prefix(Self.batch)
            for (key, _) in batch { queue.requests[key] = nil }
            return Dictionary(uniqueKeysWithValues: batch.map { ($0.key, $0.value) })
        }
    }

    private func report(_ requests: [UUID: Request]) async {
        var reports: [UUID: RateLimits.Report] = [:]
        for (key, request) in requests { reports[key] = limiter.report(key, request.limits) }
        let nodes = self.nodes
        do {
            let exchange = try self.exchange()
            let backlogs = try await exchange.exchange(reports)
            var corrections: [UUID: RateLimits.Report] = [:]
            for (key, request) in requests {
                guard var backlog = backlogs[key] else { continue }
                corrections[key] = request.limits.correct(&backlog, nodes: nodes)
                switch request.rule {
                case .waits: limiter.apply(backlog, to: key, request.limits, nodes: nodes)
                case .counts: limiter.learn(backlog, about: key, request.limits)
                }
            }
            // The reports have arrived. If the corrections do not, the next exchange of a key finds the same backlog.
            if !corrections.isEmpty { _ = try? await exchange.exchange(corrections) }
        } catch {
            // The report may have arrived. Uses that count at once must not count twice.
            for (key, request) in requests where request.rule == .waits {
                guard let report = reports[key] else { continue }
                limiter.takeBack(report, of: key, request.limits, nodes: nodes)
            }
        }
    }
}
