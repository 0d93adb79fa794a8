import FoundationEssentials
import Locks

/// The numbers of deliveries that wait for their next attempt, by webhook, as far as the quota needs them.
///
/// A count reads as many entries of an index as deliveries wait. So a webhook is counted with its first event, after each tenth of its part
/// that this node has added, and every 10 s while its part is used up. Other nodes add meanwhile, each a tenth of the part at most.
final class WaitingDeliveries: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// The time after which a webhook whose part is used up is counted again.
    static let repetition = Duration.seconds(10)
    /// The number of webhooks from which all numbers are forgotten, and counted again.
    static let mostWebhooks = 1024

    private struct Count {
        let number: Int
        let countedAt: Instant
        var added = 0
    }

    private struct State {
        var counts: [UUID: Count] = [:]
        var refused = 0
    }

    private let state = Locked(State())

    /// The number of deliveries that were refused since the start.
    var refusedCount: Int { state.withLock { $0.refused } }

    /// Returns the webhooks that must be counted before they get further deliveries.
    ///
    /// - Parameters:
    ///   - webhooks: The webhooks that are told of events.
    ///   - part: The maximum number of waiting deliveries of a webhook.
    ///   - now: The current instant.
    /// - Returns: The webhooks to count.
    func uncounted(_ webhooks: Set<UUID>, part: Int, at now: Instant) -> [UUID] {
        state.withLock { state in
            var uncounted: [UUID] = []
            for id in webhooks {
                guard let count = state.counts[id] else {
                    uncounted.append(id)
                    continue
                }
                let isDue =
                    if count.number + count.added < part {
                        count.added >= max(1, part / 10)
                    } else {
                        // The added deliveries may have ended since the last count.
                        count.added > 0 || now - count.countedAt >= Self.repetition
                    }
                if isDue { uncounted.append(id) }
            }
            return uncounted
        }
    }

    /// Notes the numbers of deliveries that wait.
    func set(_ numbers: [UUID: Int], at now: Instant) {
        state.withLock { state in
            if state.counts.count + numbers.count > Self.mostWebhooks { state.counts = [:] }
            for (id, number) in numbers { state.counts[id] = Count(number: number, countedAt: now) }
        }
    }

    /// Adds a delivery of a webhook if there is room for it.
    ///
    /// - Parameters:
    ///   - webhook: The webhook, which has been counted.
    ///   - part: The maximum number of waiting deliveries of the webhook.
    /// - Returns: False if the part is used up.
    func add(_ webhook: UUID, part: Int) -> Bool {
        state.withLock { state in
            // Numbers that were forgotten meanwhile are counted before the next event.
            guard let count = state.counts[webhook] else { return true }
            guard count.number + count.added < part else { return false }
            state.counts[webhook]?.added += 1
            return true
        }
    }

    /// Notes that deliveries were refused.
    func addRefused(_ number: Int) { state.withLock { $0.refused += number } }
}
