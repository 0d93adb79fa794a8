import FoundationEssentials
import Testing

@testable import Notices

/// The attempts at once of a node, and their division among webhooks and organizations.
@Suite struct AttemptSlotTests {
    private let slots = AttemptSlots()
    private let start = ContinuousClock.now

    /// Begins as many attempts of organizations as they get, each at a webhook of its own, and returns their tickets.
    private func fill(_ organizations: [UUID], at now: ContinuousClock.Instant) -> [AttemptSlots.Ticket] {
        var tickets: [AttemptSlots.Ticket] = []
        while true {
            let shares = slots.shares(at: now)
            var rest = shares.quick
            var parts = organizations.map { shares.organizations[$0]?.quick ?? shares.quickPerOrganization }
            var hasBegun = false
            // In turns, as a claim does.
            while rest > 0, let most = parts.max(), most > 0 {
                for index in parts.indices where parts[index] > 0 && rest > 0 {
                    parts[index] -= 1
                    rest -= 1
                    hasBegun = true
                    tickets.append(slots.begin(UUID(), of: organizations[index], isFailing: false, at: now))
                }
            }
            if !hasBegun { return tickets }
        }
    }

    // The attack: the receivers of one organization never answer, and use up every attempt of the node.
    @Test func `one organization gets half of the slots, and leaves the others to the rest`() {
        let tickets = fill([UUID()], at: start)
        #expect(tickets.count == AttemptSlots.total / 2)
        let shares = slots.shares(at: start)
        #expect(shares.quick == AttemptSlots.total / 4)
        #expect(shares.quickPerOrganization == AttemptSlots.total / 4)
        for ticket in tickets { slots.end(ticket) }
        let underWay = slots.underWay
        #expect(underWay.quick == 0 && underWay.slow == 0)
    }

    // The fault: at a low limit of open files, attempts use up the descriptors that databases need.
    @Test func `a node makes no more attempts than it has descriptors for`() {
        var options = NoticeOptions()
        options.maximumAttempts = 10
        #expect(options.maximumDescriptors == 10 + 5 + 2 * 10)
        let few = AttemptSlots(total: options.maximumAttempts)
        for _ in 0..<100 {
            let shares = few.shares(at: start)
            for (count, isFailing) in [(shares.quick, false), (shares.slow, true)] {
                for _ in 0..<count { _ = few.begin(UUID(), of: UUID(), isFailing: isFailing, at: start) }
            }
        }
        let underWay = few.underWay
        #expect(underWay.quick + underWay.slow == 10 && underWay.slow <= 5)
        #expect(NoticeOptions().maximumDescriptors == 256 + 128 + 2 * 64)
    }

    @Test func `many organizations have equal parts, and a further one finds a slot`() {
        let organizations = (0..<8).map { _ in UUID() }
        let tickets = fill(organizations, at: start)
        #expect(tickets.count < AttemptSlots.total)
        let shares = slots.shares(at: start)
        #expect(shares.quick > 0 && shares.quickPerOrganization > 0)
        let parts = organizations.map { shares.organizations[$0]?.quick }
        #expect(parts.allSatisfy { $0 == 0 })
        #expect(tickets.count >= 8 * 16)
    }

    // The fault: attempts that wait for an answer keep the slots that quick receivers need.
    @Test func `attempts without an answer for a second leave the slots of quick webhooks`() {
        let (slow, other) = (UUID(), UUID())
        let webhook = UUID()
        _ = slots.begin(webhook, of: slow, isFailing: false, at: start)
        let first = fill([slow], at: start)
        let later = start + AttemptSlots.patience + .milliseconds(1)
        _ = slots.shares(at: later)
        var underWay = slots.underWay
        #expect(underWay.quick == 0 && underWay.slow == first.count + 1)
        // The slow ones have as many as they can have.
        #expect(slots.shares(at: later).slow == 0)
        // Their webhook is slow for a while, and the other organization has quick slots.
        let ofWebhook = slots.shares(at: later).webhooks[webhook]
        #expect(ofWebhook == AttemptShares.OfWebhook(rest: AttemptSlots.perWebhook - 1, isSlow: true))
        let ticket = slots.begin(webhook, of: slow, isFailing: false, at: later)
        underWay = slots.underWay
        #expect(underWay.quick == 0)
        #expect(!fill([other], at: later).isEmpty)
        // A minute after the last slow attempt the webhook begins from the start.
        slots.answered(ticket, isSuccess: true, at: later)
        for ticket in first { slots.end(ticket) }
        slots.end(ticket)
        let end = later + AttemptSlots.slowFor + .milliseconds(1)
        #expect(slots.shares(at: end).webhooks[webhook]?.isSlow == false)
    }

    // The fault: a minute after its first slow attempt, a slow webhook takes quick slots again.
    @Test func `a webhook that stays slow stays among the slow ones`() {
        let (webhook, organization) = (UUID(), UUID())
        let first = slots.begin(webhook, of: organization, isFailing: false, at: start)
        slots.answered(first, isSuccess: true, at: start + .seconds(2))
        slots.end(first)
        let second = slots.begin(webhook, of: organization, isFailing: false, at: start + .seconds(50))
        slots.answered(second, isSuccess: true, at: start + .seconds(52))
        slots.end(second)
        #expect(slots.shares(at: start + .seconds(100)).webhooks[webhook]?.isSlow == true)
        #expect(slots.shares(at: start + .seconds(113)).webhooks[webhook] == nil)
    }

    // The fault: the database is slow, and all webhooks count as slow because their attempts wait for their records.
    @Test func `an attempt that waits for its record is not slow`() {
        let organization = UUID()
        let ticket = slots.begin(UUID(), of: organization, isFailing: false, at: start)
        slots.answered(ticket, isSuccess: true, at: start + .milliseconds(10))
        _ = slots.shares(at: start + .seconds(5))
        let underWay = slots.underWay
        #expect(underWay.quick == 1 && underWay.slow == 0)
    }

    @Test func `a webhook that answers promptly gets more attempts at once, and one that does not goes back to four`() {
        let (webhook, organization) = (UUID(), UUID())
        func attempt(_ isSuccess: Bool, after pause: Duration = .milliseconds(5)) {
            let ticket = slots.begin(webhook, of: organization, isFailing: false, at: start)
            slots.answered(ticket, isSuccess: isSuccess, at: start + pause)
            slots.end(ticket)
        }
        func rest() -> Int? { slots.shares(at: start).webhooks[webhook]?.rest }
        attempt(true)
        #expect(rest() == AttemptSlots.perWebhook + 1)
        for _ in 0..<100 { attempt(true) }
        #expect(rest() == AttemptSlots.perPromptWebhook)
        attempt(false)
        #expect(rest() == AttemptSlots.perWebhook)
        attempt(true)
        #expect(rest() == AttemptSlots.perWebhook + 1)
        attempt(true, after: AttemptSlots.patience + .milliseconds(1))
        #expect(rest() == AttemptSlots.perWebhook)
    }

    // The fault: a receiver that has just failed gets the next four deliveries at once.
    @Test func `a webhook that begins to fail has one attempt at a time from its first record on`() {
        let (webhook, organization) = (UUID(), UUID())
        func attempt(isFailing: Bool) {
            let ticket = slots.begin(webhook, of: organization, isFailing: false, at: start)
            slots.answered(ticket, isSuccess: !isFailing, at: start)
            slots.recorded(ticket, isFailing: isFailing)
            slots.end(ticket)
        }
        func share() -> AttemptShares.OfWebhook? { slots.shares(at: start).webhooks[webhook] }
        attempt(isFailing: true)
        #expect(share() == AttemptShares.OfWebhook(rest: AttemptSlots.perFailingWebhook, isSlow: true))
        attempt(isFailing: false)
        #expect(share() == AttemptShares.OfWebhook(rest: AttemptSlots.perWebhook + 1, isSlow: false))
    }

    @Test func `a webhook that fails has one attempt at a time, which counts as slow`() {
        let (webhook, organization) = (UUID(), UUID())
        let ticket = slots.begin(webhook, of: organization, isFailing: true, at: start)
        #expect(slots.shares(at: start).webhooks[webhook] == AttemptShares.OfWebhook(rest: 0, isSlow: true))
        let underWay = slots.underWay
        #expect(underWay.quick == 0 && underWay.slow == 1)
        slots.end(ticket)
        #expect(slots.shares(at: start).webhooks[webhook]?.rest == 1)
    }

    @Test func `a webhook without attempts is forgotten`() {
        let ticket = slots.begin(UUID(), of: UUID(), isFailing: false, at: start)
        slots.answered(ticket, isSuccess: true, at: start)
        slots.end(ticket)
        #expect(slots.shares(at: start).webhooks.count == 1)
        let later = slots.shares(at: start + AttemptSlots.pause)
        #expect(later.webhooks.isEmpty && later.organizations.isEmpty)
        // Of very many webhooks, those without an attempt are forgotten at once.
        for _ in 0..<AttemptSlots.mostWebhooks {
            slots.end(slots.begin(UUID(), of: UUID(), isFailing: false, at: start))
        }
        #expect(slots.shares(at: start).webhooks.isEmpty)
    }
}
