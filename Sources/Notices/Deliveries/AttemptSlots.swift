import FoundationEssentials
import Locks

/// The attempts and the look-ups of names that are under way on this node, and the attempts that each webhook and each organization can
/// add.
///
/// An attempt at a slow webhook has a slot of a part that quick webhooks do not need. An organization gets a slot only while it has fewer
/// than are free, so the slots are never used up by few organizations, and one organization alone can use half of them.
final class AttemptSlots: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// The default of the maximum number of attempts at once.
    static let total = 256
    /// The number of attempts at once of a webhook at first.
    static let perWebhook = 4
    /// The maximum number of attempts at once of a webhook that answers promptly.
    ///
    /// Each prompt success adds one to the webhook's number. A failure and a slow answer take it back to ``perWebhook``.
    static let perPromptWebhook = 32
    /// The number of attempts at once of a webhook that fails.
    ///
    /// An attempt that gets no answer keeps its slot for 10 s.
    static let perFailingWebhook = 1
    /// The number of look-ups at once from which an organization gets no further attempt.
    ///
    /// A look-up can outlive its attempt, because a name server that does not answer keeps a thread for up to half a minute.
    static let lookupsPerOrganization = 16
    /// The time without an answer after which an attempt is slow.
    static let patience = Duration.seconds(1)
    /// The time for which a webhook counts as slow after a slow attempt.
    static let slowFor = Duration.seconds(60)
    /// The time without an attempt after which a webhook begins from the start.
    static let pause = Duration.seconds(10)
    /// The number of webhooks from which those without an attempt under way are forgotten at once.
    static let mostWebhooks = 1024

    /// An attempt that is under way.
    struct Ticket: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    private struct UnderWay {
        let webhook: UUID
        let organization: UUID
        let startedAt: Instant
        var isSlow: Bool
        var isAnswered = false
    }

    private struct Pace {
        var count = 0
        var allowance = AttemptSlots.perWebhook
        var isFailing = false
        var slowUntil: Instant?
        var usedAt: Instant

        func isSlow(at now: Instant) -> Bool { isFailing || slowUntil.map { $0 > now } == true }

        /// The number of further attempts.
        var rest: Int { max(0, (isFailing ? AttemptSlots.perFailingWebhook : allowance) - count) }
    }

    private struct Use {
        var quick = 0
        var slow = 0
    }

    private struct State {
        var last: UInt64 = 0
        var underWay: [UInt64: UnderWay] = [:]
        var all = Use()
        var paces: [UUID: Pace] = [:]
        var organizations: [UUID: Use] = [:]
        var lookups: [UUID: Int] = [:]

        mutating func count(_ organization: UUID, isSlow: Bool, by step: Int) {
            let member: WritableKeyPath<Use, Int> = isSlow ? \.slow : \.quick
            all[keyPath: member] += step
            var use = organizations[organization] ?? Use()
            use[keyPath: member] += step
            organizations[organization] = use.quick + use.slow > 0 ? use : nil
        }

        /// Moves the attempts that have waited for too long to the slow ones.
        mutating func noticeSlow(at now: Instant) {
            for (number, attempt) in underWay where !attempt.isSlow && !attempt.isAnswered {
                guard now - attempt.startedAt > AttemptSlots.patience else { continue }
                underWay[number]?.isSlow = true
                count(attempt.organization, isSlow: false, by: -1)
                count(attempt.organization, isSlow: true, by: 1)
                paces[attempt.webhook]?.slowUntil = now + AttemptSlots.slowFor
                paces[attempt.webhook]?.allowance = AttemptSlots.perWebhook
            }
        }

        mutating func forget(at now: Instant) {
            let isFull = paces.count >= AttemptSlots.mostWebhooks
            paces = paces.filter { _, pace in
                if pace.count > 0 { return true }
                if isFull { return false }
                return pace.slowUntil.map { $0 > now } == true || now - pace.usedAt < AttemptSlots.pause
            }
        }
    }

    private let state = Locked(State())
    /// The maximum number of attempts at once, of which half can be at slow webhooks.
    private let total: Int

    /// Creates free slots.
    init(total: Int = AttemptSlots.total) {
        self.total = total
    }

    /// The attempts that can begin now.
    ///
    /// - Parameter now: The current instant.
    /// - Returns: The numbers for the next claim.
    func shares(at now: Instant) -> AttemptShares {
        state.withLock { state in
            state.noticeSlow(at: now)
            state.forget(at: now)
            let free = max(0, total - state.all.quick - state.all.slow)
            let freeSlow = max(0, total / 2 - state.all.slow)
            let quick = Self.half(free)
            var shares = AttemptShares(
                quick: quick,
                slow: min(Self.half(freeSlow), free - quick),
                quickPerOrganization: Self.half(free),
                slowPerOrganization: Self.half(freeSlow)
            )
            for (id, pace) in state.paces {
                shares.webhooks[id] = AttemptShares.OfWebhook(rest: pace.rest, isSlow: pace.isSlow(at: now))
            }
            for (id, use) in state.organizations {
                shares.organizations[id] = AttemptShares.OfOrganization(
                    quick: Self.half(free - use.quick),
                    slow: Self.half(freeSlow - use.slow)
                )
            }
            for (id, count) in state.lookups where count >= Self.lookupsPerOrganization {
                shares.organizations[id] = AttemptShares.OfOrganization(quick: 0, slow: 0)
            }
            return shares
        }
    }

    /// Returns the larger half of a number, and 0 for a negative number.
    ///
    /// A claim hands out half of what is free, so that what an organization gets at once leaves as much to the others.
    private static func half(_ number: Int) -> Int { max(0, (number + 1) / 2) }

    /// Takes a slot for an attempt.
    func begin(_ webhook: Webhook, at now: Instant) -> Ticket {
        begin(webhook.id, of: webhook.organizationID, isFailing: webhook.failingSince != nil, at: now)
    }

    /// Takes a slot for an attempt at a webhook.
    func begin(_ webhook: UUID, of organization: UUID, isFailing: Bool, at now: Instant) -> Ticket {
        state.withLock { state in
            var pace = state.paces[webhook] ?? Pace(usedAt: now)
            pace.count += 1
            pace.isFailing = isFailing
            pace.usedAt = now
            let isSlow = pace.isSlow(at: now)
            state.paces[webhook] = pace
            state.count(organization, isSlow: isSlow, by: 1)
            state.last += 1
            state.underWay[state.last] = UnderWay(
                webhook: webhook,
                organization: organization,
                startedAt: now,
                isSlow: isSlow
            )
            return Ticket(number: state.last)
        }
    }

    /// Notes the outcome of an attempt, which keeps its slot until it is recorded.
    func answered(_ ticket: Ticket, isSuccess: Bool, at now: Instant) {
        state.withLock { state in
            state.noticeSlow(at: now)
            guard let attempt = state.underWay[ticket.number] else { return }
            state.underWay[ticket.number]?.isAnswered = true
            let isInTime = now - attempt.startedAt <= Self.patience
            let isPrompt = isSuccess && isInTime
            // Also after an attempt that was among the slow ones from its start.
            if !isInTime { state.paces[attempt.webhook]?.slowUntil = now + Self.slowFor }
            let allowance = state.paces[attempt.webhook]?.allowance ?? Self.perWebhook
            state.paces[attempt.webhook]?.allowance =
                isPrompt ? min(Self.perPromptWebhook, allowance + 1) : Self.perWebhook
        }
    }

    /// Notes whether the webhook of an attempt has had nothing but failures, as the record of the attempt found.
    ///
    /// The attempts that wait for their claim would otherwise be as many as before the first failure.
    func recorded(_ ticket: Ticket, isFailing: Bool) {
        state.withLock { state in
            guard let attempt = state.underWay[ticket.number] else { return }
            state.paces[attempt.webhook]?.isFailing = isFailing
        }
    }

    /// Returns the slot of an attempt.
    func end(_ ticket: Ticket) {
        state.withLock { state in
            guard let attempt = state.underWay.removeValue(forKey: ticket.number) else { return }
            state.count(attempt.organization, isSlow: attempt.isSlow, by: -1)
            state.paces[attempt.webhook]?.count -= 1
        }
    }

    /// Counts a look-up that begins.
    func beginLookup(of organization: UUID) {
        state.withLock { $0.lookups[organization, default: 0] += 1 }
    }

    /// Counts a look-up that has ended.
    func endLookup(of organization: UUID) {
        state.withLock { state in
            let count = (state.lookups[organization] ?? 1) - 1
            state.lookups[organization] = count > 0 ? count : nil
        }
    }

    /// The numbers of attempts that are under way, at quick and at slow webhooks.
    var underWay: (quick: Int, slow: Int) { state.withLock { ($0.all.quick, $0.all.slow) } }
}

/// The numbers of attempts that the next claim can take.
struct AttemptShares: Sendable {
    /// A webhook that has attempts under way, or had some lately.
    struct OfWebhook: Sendable, Hashable {
        /// The number of further attempts.
        let rest: Int
        /// True if the webhook's attempts count as slow.
        let isSlow: Bool
    }

    /// An organization that has attempts under way, or too many look-ups.
    struct OfOrganization: Sendable, Hashable {
        /// The number of further attempts at quick webhooks.
        let quick: Int
        /// The number of further attempts at slow webhooks.
        let slow: Int
    }

    /// The number of attempts at quick webhooks.
    var quick: Int
    /// The number of attempts at slow webhooks.
    var slow: Int
    /// The number of attempts at quick webhooks for an organization that is not in ``organizations``.
    var quickPerOrganization: Int
    /// The number of attempts at slow webhooks for an organization that is not in ``organizations``.
    var slowPerOrganization: Int
    /// The webhooks whose numbers differ from those at first.
    var webhooks: [UUID: OfWebhook] = [:]
    /// The organizations whose numbers differ from those of the others.
    var organizations: [UUID: OfOrganization] = [:]

    /// True if no attempt can begin.
    var isEmpty: Bool { quick <= 0 && slow <= 0 }
}
