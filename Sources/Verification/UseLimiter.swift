package import FoundationEssentials
package import Keys
import Synchronization

/// What keys have used of their limits, on this node.
///
/// Counted by key, outside of anything that is read or cached, so that neither a change of the key nor a rotation refills it. Many small
/// locks instead of one: verifications of different keys should not wait for each other.
package final class UseLimiter: Sendable {
    private struct Shard {
        var usage: [UUID: RateLimits.Usage] = [:]
        var checkedAt: Int64 = 0
    }

    /// A lock that can stand in an array.
    private final class Locked: Sendable {
        let shard = Mutex(Shard())
    }

    private let shards = (0..<16).map { _ in Locked() }
    private let start = ContinuousClock.now
    private let nanoseconds: @Sendable () -> Int64

    /// How often what has been refilled completely is forgotten.
    private static let forgetInterval: Int64 = 60_000_000_000

    /// A limiter that nobody has used yet.
    ///
    /// - Parameter nanoseconds: a clock that never goes back; the system's by default.
    package init(nanoseconds: (@Sendable () -> Int64)? = nil) {
        let start = self.start
        self.nanoseconds = nanoseconds ?? { Int64((ContinuousClock.now - start) / .nanoseconds(1)) }
    }

    /// Counts one use, if every limit allows it.
    package func use(_ key: UUID, _ limits: RateLimits) -> RateLimitVerdict? {
        let now = nanoseconds()
        return shards[key.hashValue & 15].shard
            .withLock { shard in
                if now - shard.checkedAt > Self.forgetInterval {
                    shard.checkedAt = now
                    shard.usage = shard.usage.filter { !$0.value.isForgettable(at: now) }
                }
                return limits.use(&shard.usage[key, default: RateLimits.Usage()], at: now)
            }
    }
}
