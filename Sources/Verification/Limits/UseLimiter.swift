package import FoundationEssentials
package import Keys
import Locks

/// Counts the use that keys make of their rate limits.
///
/// Usage is kept by key id and outside of everything that is read or cached, so neither a change of the key nor a rotation
/// refills a limit. Keys are divided among many locks, so verifications of different keys seldom wait for each other. The memory
/// is bounded: see `RateLimitTable`.
package final class UseLimiter: Sendable {
    /// A part of the keys with a lock of its own.
    ///
    /// A class, because an array cannot hold a `Locked`.
    private final class Shard: Sendable {
        let table: Locked<RateLimitTable>

        init(maximumKeys: Int, seed: UInt64) {
            table = Locked(RateLimitTable(maximumKeys: maximumKeys, seed: seed))
        }
    }

    private static let shardCount = 64

    private let shards: [Shard]
    private let nanoseconds: @Sendable () -> Int64

    /// Creates a limiter without usage.
    ///
    /// - Parameters:
    ///   - maximumKeys: The number of keys whose usage is kept at least. 500,000 take 30 MB, if so many keys have limits.
    ///   - nanoseconds: A clock that never goes back. Defaults to the system's.
    package init(maximumKeys: Int = 500_000, nanoseconds: (@Sendable () -> Int64)? = nil) {
        let seed = UInt64.random(in: .min ... .max)
        shards = (0..<Self.shardCount).map { _ in Shard(maximumKeys: maximumKeys / Self.shardCount, seed: seed) }
        let start = ContinuousClock.now
        self.nanoseconds = nanoseconds ?? { (ContinuousClock.now - start).wholeNanoseconds }
    }

    /// Counts one use of a key if every limit allows it.
    ///
    /// - Parameters:
    ///   - key: The id of the key.
    ///   - limits: The limits of the key.
    ///   - nodes: The number of nodes that share the limits.
    /// - Returns: The result, or `nil` if there is no limit.
    package func use(_ key: UUID, _ limits: RateLimits, nodes: Int) -> RateLimits.SharedUse? {
        if limits.isUnlimited { return nil }
        return withUsage(of: key) { limits.use(&$0, at: $1, nodes: nodes) }
    }

    /// Returns the result of a use of a key without counting it.
    func wouldUse(_ key: UUID, _ limits: RateLimits, nodes: Int) -> RateLimits.SharedUse? {
        if limits.isUnlimited { return nil }
        return withUsage(of: key) { usage, now in
            var copy = usage
            return limits.use(&copy, at: now, nodes: nodes)
        }
    }

    /// Counts one use of a key unless this node knows that a limit is used up.
    func useNow(_ key: UUID, _ limits: RateLimits, nodes: Int) -> RateLimits.SharedUse? {
        if limits.isUnlimited { return nil }
        return withUsage(of: key) { limits.useNow(&$0, at: $1, nodes: nodes) }
    }

    /// Notes what all nodes have used of a key's limits, for uses that do not wait.
    func learn(_ backlog: RateLimits.Backlog, about key: UUID, _ limits: RateLimits) {
        withUsage(of: key) { limits.learn(backlog, in: &$0, at: $1) }
    }

    /// Returns the verdict that refuses a use, because the reports of the other nodes could not be read.
    func refusal(_ key: UUID, _ limits: RateLimits) -> RateLimitVerdict? {
        withUsage(of: key) { limits.refusal($0, at: $1) }
    }

    /// Takes the report of a key's uses on this node.
    func report(_ key: UUID, _ limits: RateLimits) -> RateLimits.Report {
        withUsage(of: key) { limits.report(&$0, at: $1) }
    }

    /// Applies what all nodes have used of a key's limits.
    func apply(_ backlog: RateLimits.Backlog, to key: UUID, _ limits: RateLimits, nodes: Int) {
        withUsage(of: key) { limits.apply(backlog, to: &$0, at: $1, nodes: nodes) }
    }

    /// Takes back a report that did not arrive.
    func takeBack(_ report: RateLimits.Report, of key: UUID, _ limits: RateLimits, nodes: Int) {
        withUsage(of: key) { limits.takeBack(report, to: &$0, at: $1, nodes: nodes) }
    }

    private func withUsage<Value: Sendable>(of key: UUID, _ body: (inout RateLimits.Usage, Int64) -> Value) -> Value {
        let now = nanoseconds()
        // The last byte of an id of version 7 is random.
        let shard = shards[Int(key.uuid.15) % Self.shardCount]
        return shard.table.withLock { table in table.withUsage(of: key, at: now) { body(&$0, now) } }
    }
}
