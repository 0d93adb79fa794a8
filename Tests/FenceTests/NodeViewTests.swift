import FoundationEssentials
import Testing

@testable import Fence

/// The rules of a node, each with the attack that it stops (decision 0014, rules 1 to 21).
@Suite struct NodeViewTests {
    private let view = NodeView(times: FenceTimes(trust: .milliseconds(2500)))
    private let workspace = UUID()
    private let key = UUID()
    private static let timeline = ServerTimeline(system: 7, number: 1)

    private func seconds(_ seconds: Double) -> Moment { Moment(nanoseconds: Int64(seconds * 1_000_000_000)) }

    private func fence(_ key: UUID?) -> StandingFence { fence(of: key.map { [$0] }) }

    private func fence(of keys: [UUID]?) -> StandingFence {
        StandingFence(id: UUID(), keys: FencedKeys(workspace: workspace, keys: keys))
    }

    /// Renews at a moment, with an answer that arrives at once.
    @discardableResult
    private func renew(
        at moment: Moment,
        standing: [StandingFence] = [],
        isGranted: Bool = true,
        on timeline: ServerTimeline = Self.timeline
    ) throws -> NodeView.NextRenewal {
        let renewal = try #require(view.beginRenewal(at: moment))
        let answer = RenewalAnswer(isGranted: isGranted, standing: standing, timeline: timeline)
        return view.apply(answer, to: renewal, at: moment)
    }

    /// Reads and returns the stamp, if the answer can be stored.
    private func fill(at moment: Moment) -> Stamp? { fill(at: moment, during: {}) }

    /// Reads and returns the stamp, if the answer can be stored.
    ///
    /// The closure runs while the read is under way.
    private func fill(at moment: Moment, during: () throws -> Void) rethrows -> Stamp? {
        let ticket = view.willRead(in: view.fences(of: workspace))
        try during()
        guard case .store(let stamp) = view.didRead(ticket, key: key, on: Self.timeline.mark, at: moment) else {
            return nil
        }
        return stamp
    }

    private func isHit(_ stamp: Stamp, at moment: Moment) -> Bool {
        guard let lease = view.lease(at: moment) else { return false }
        return view.admits(stamp, lease)
    }

    @Test func `an entry is admitted while the lease is good and no fence stands`() throws {
        try renew(at: seconds(10))
        let stamp = try #require(fill(at: seconds(11)))
        #expect(isHit(stamp, at: seconds(12.4)))
        try renew(at: seconds(12))
        #expect(isHit(stamp, at: seconds(14.4)))
    }

    // Attack: a late answer starts a lease that outlives the mutator's wait.
    @Test func `1: a lease ends 2,5 s after the moment before its renewal was sent`() throws {
        let renewal = try #require(view.beginRenewal(at: seconds(10)))
        let answer = RenewalAnswer(isGranted: true, standing: [], timeline: Self.timeline)
        view.apply(answer, to: renewal, at: seconds(12))
        #expect(view.lease(at: seconds(12.499)) != nil)
        #expect(view.lease(at: seconds(12.5)) == nil)
    }

    @Test func `2: a mutator waits longer than a node trusts its lease`() {
        let times = FenceTimes.standard
        #expect(times.trust == .seconds(2) && times.wait == .milliseconds(2400) && times.renewal == .milliseconds(800))
        #expect(times.fenceLife == .seconds(24))
    }

    // Attack: NOTIFY was lost, and the node goes on with its entry.
    @Test func `3: a refused renewal raises the fences that stand, and the next one lists them`() throws {
        try renew(at: seconds(10))
        let stamp = try #require(fill(at: seconds(10)))
        let fence = self.fence(key)
        #expect(try renew(at: seconds(11), standing: [fence], isGranted: false) == .atOnce)
        #expect(!isHit(stamp, at: seconds(11)))
        #expect(try #require(view.beginRenewal(at: seconds(11))).listed == [fence.id])
        // The refused renewal has not lengthened the lease.
        #expect(view.lease(at: seconds(12.6)) == nil)
    }

    // Attack: an old list of fences lifts a fence that is acknowledged already.
    @Test func `5: the answer to a renewal that was given up or replaced is dropped`() throws {
        let fence = self.fence(key)
        try renew(at: seconds(10), standing: [fence], isGranted: false)
        let answer = RenewalAnswer(isGranted: true, standing: [], timeline: Self.timeline)
        let abandoned = try #require(view.beginRenewal(at: seconds(11)))
        view.giveUp(abandoned)
        view.apply(answer, to: abandoned, at: seconds(11))
        let replaced = try #require(view.beginRenewal(at: seconds(11)))
        let current = try #require(view.beginRenewal(at: seconds(11)))
        view.apply(answer, to: replaced, at: seconds(11))
        #expect(view.raisedCount == 1)
        #expect(view.lease(at: seconds(11)) == nil)
        view.apply(answer, to: current, at: seconds(11))
        #expect(view.raisedCount == 0)
        // An answer counts once.
        view.apply(
            RenewalAnswer(isGranted: true, standing: [fence], timeline: Self.timeline),
            to: current,
            at: seconds(11)
        )
        #expect(view.raisedCount == 0)
    }

    @Test func `the oldest fence that the node has raised is known by its moment`() throws {
        let (old, young) = (fence(key), fence(nil))
        try renew(at: seconds(10), standing: [old], isGranted: false)
        try renew(at: seconds(11), standing: [old, young], isGranted: false)
        #expect(view.oldestRaise == seconds(10))
        try renew(at: seconds(12), standing: [young], isGranted: false)
        #expect(view.oldestRaise == seconds(11))
        try renew(at: seconds(13))
        #expect(view.oldestRaise == nil)
    }

    // Attack: a node wakes up after a change and trusts its cache.
    @Test func `7: a grant after a lapse ends all entries`() throws {
        try renew(at: seconds(10))
        let stamp = try #require(fill(at: seconds(10)))
        #expect(!isHit(stamp, at: seconds(13)))
        try renew(at: seconds(13))
        #expect(view.lease(at: seconds(13)) != nil)
        #expect(!isHit(stamp, at: seconds(13)))
    }

    // Attack: a fill begun after the lapse, but before the grant, is stored.
    @Test func `7: a grant after a lapse ends the fills in flight`() throws {
        try renew(at: seconds(10))
        let stamp = try fill(at: seconds(13)) { try renew(at: seconds(13)) }
        #expect(stamp == nil)
        #expect(fill(at: seconds(13)) != nil)
    }

    // Attack: it answers from the cache when nobody waits for it.
    @Test func `8: a node that leaves trusts no lease, neither this one nor one that is on its way`() throws {
        try renew(at: seconds(10))
        let stamp = try #require(fill(at: seconds(10)))
        let late = try #require(view.beginRenewal(at: seconds(10)))
        view.leave()
        #expect(!isHit(stamp, at: seconds(10)))
        view.apply(RenewalAnswer(isGranted: true, standing: [], timeline: Self.timeline), to: late, at: seconds(10))
        #expect(view.lease(at: seconds(10)) == nil)
        #expect(view.beginRenewal(at: seconds(11)) == nil)
    }

    // Attack: a cluster is removed and added again, and an entry from before counts under the new lease, whose view raises other fences.
    @Test func `8: an entry does not count under the lease of a view that takes the place of one that has left`() throws
    {
        try renew(at: seconds(10))
        let stamp = try #require(fill(at: seconds(10)))
        view.leave()
        #expect(view.hasLeft)
        let next = NodeView(times: FenceTimes(trust: .milliseconds(2500)))
        let renewal = try #require(next.beginRenewal(at: seconds(10)))
        next.apply(
            RenewalAnswer(isGranted: true, standing: [], timeline: Self.timeline),
            to: renewal,
            at: seconds(10)
        )
        let lease = try #require(next.lease(at: seconds(10)))
        #expect(!next.admits(stamp, lease))
    }

    // Attack: two keys share a slot, and the lift of one ends the fence of the other.
    @Test func `10: a lift ends one fence and leaves the others of its slot`() throws {
        try renew(at: seconds(10))
        let (first, second) = (fence(key), fence(key))
        try renew(at: seconds(10), standing: [first, second], isGranted: false)
        // A fence that is listed twice opens once.
        try renew(at: seconds(10), standing: [first, second])
        #expect(fill(at: seconds(10)) == nil)
        try renew(at: seconds(10), standing: [second])
        #expect(view.raisedCount == 1)
        #expect(fill(at: seconds(10)) == nil)
        try renew(at: seconds(10))
        #expect(fill(at: seconds(10)) != nil)
    }

    @Test func `11: a fence is lifted by the answer to a renewal that listed it, and by no other`() throws {
        let fence = self.fence(key)
        // The renewal was sent before the fence was known, and does not list it.
        try renew(at: seconds(10), standing: [fence], isGranted: false)
        #expect(view.raisedCount == 1)
        try renew(at: seconds(11))
        #expect(view.raisedCount == 0)
    }

    // Attack: a key of a suspended workspace is served.
    @Test func `12: a fence of a workspace ends the entries of its keys and of no other workspace`() throws {
        try renew(at: seconds(10))
        let stamp = try #require(fill(at: seconds(10)))
        let ticket = view.willRead(in: view.fences(of: UUID()))
        guard case .store(let other) = view.didRead(ticket, key: UUID(), on: Self.timeline.mark, at: seconds(10)) else {
            return #expect(Bool(false), "the other workspace's key is not stored")
        }
        let fence = self.fence(nil)
        try renew(at: seconds(10), standing: [fence], isGranted: false)
        try renew(at: seconds(10), standing: [fence])
        #expect(!isHit(stamp, at: seconds(10)))
        #expect(fill(at: seconds(10)) == nil)
        #expect(isHit(other, at: seconds(10)))
    }

    // Attack: the node was silent and was waited out.
    @Test func `14: a hit needs a good lease`() throws {
        #expect(view.lease(at: seconds(0)) == nil)
        try renew(at: seconds(10))
        #expect(view.lease(at: seconds(12.5)) == nil)
    }

    // Attack: the slot is read in a lapse, and the lease in the next epoch.
    @Test func `15: an entry that was read before a fence is not admitted after it`() throws {
        try renew(at: seconds(10))
        let stamp = try #require(fill(at: seconds(10)))
        let lease = try #require(view.lease(at: seconds(10)))
        // The thread stops here, with lease and entry in hand.
        let fence = self.fence(key)
        try renew(at: seconds(10), standing: [fence], isGranted: false)
        #expect(!view.admits(stamp, lease))
        try renew(at: seconds(10))
        #expect(!view.admits(stamp, lease))
    }

    // Attack: a node lists a fence of which it was told, and goes on with its entry. Or it keeps a fence for ever that is gone already.
    @Test func `11: a fence of which a notification tells is raised before it is listed, and lifted if it is gone`()
        throws
    {
        try renew(at: seconds(10))
        let stamp = try #require(fill(at: seconds(10)))
        let fence = self.fence(key)
        // A renewal that does not list the fence is under way.
        let earlier = try #require(view.beginRenewal(at: seconds(10)))
        for _ in 0..<2 { view.hear(of: fence, at: seconds(10)) }
        #expect(!isHit(stamp, at: seconds(10)))
        let granted = RenewalAnswer(isGranted: true, standing: [], timeline: Self.timeline)
        view.apply(granted, to: earlier, at: seconds(10))
        #expect(view.raisedCount == 1)
        let next = try #require(view.beginRenewal(at: seconds(10)))
        #expect(next.listed == [fence.id])
        view.apply(
            RenewalAnswer(isGranted: true, standing: [fence], timeline: Self.timeline),
            to: next,
            at: seconds(10)
        )
        #expect(fill(at: seconds(10)) == nil)
        try renew(at: seconds(10))
        #expect(view.raisedCount == 0)
        // A late notification of the same fence.
        view.hear(of: fence, at: seconds(10))
        #expect(fill(at: seconds(10)) == nil)
        try renew(at: seconds(10))
        #expect(view.raisedCount == 0)
        #expect(fill(at: seconds(10)) != nil)
    }

    @Test func `a notification that names no fence tells of none`() {
        let id = UUID().uuidString
        for text in ["", "end", id, "\(id) ", "\(id) x", "\(id) \(id) x", "x \(id)", "\(id),\(id)"] {
            #expect(StandingFence(notification: text) == nil, "\(text)")
        }
        #expect(StandingFence(notification: "\(id) \(id)")?.keys.keys == nil)
    }

    // Attack: one key of several is fenced, and the others are served from memory when the change returns.
    @Test func `9, 10: a fence of several keys ends the entries of each of them, and its lift ends all of it`() throws {
        try renew(at: seconds(10))
        // Also if two of the keys share a slot.
        for keys in [[key, UUID(), UUID()], [UUID(), UUID(), key], [key, key]] {
            let stamp = try #require(fill(at: seconds(10)))
            try renew(at: seconds(10), standing: [fence(of: keys)], isGranted: false)
            #expect(!isHit(stamp, at: seconds(10)))
            #expect(fill(at: seconds(10)) == nil)
            try renew(at: seconds(10))
            #expect(!isHit(stamp, at: seconds(10)))
            #expect(fill(at: seconds(10)) != nil)
        }
        #expect(view.raisedCount == 0)
    }

    // Attack: a read from before the change is stored after it.
    @Test func `17: a read that began before a fence is not stored`() throws {
        try renew(at: seconds(10))
        for target in [key, nil, UUID()] {
            // The read begins before the fence and ends while it stands, or after it.
            let fence = self.fence(target)
            let during = try fill(at: seconds(10)) {
                try renew(at: seconds(10), standing: [fence], isGranted: false)
            }
            #expect(during == nil)
            try renew(at: seconds(10))
            let after = try fill(at: seconds(10)) {
                let next = self.fence(target)
                try renew(at: seconds(10), standing: [next], isGranted: false)
                try renew(at: seconds(10))
            }
            #expect(after == nil)
        }
    }

    // Attack: a read begins under a fence, sees the old row, and is stored after the lift.
    @Test func `18: a read that began under a fence is not stored after the lift`() throws {
        try renew(at: seconds(10))
        let fence = self.fence(key)
        try renew(at: seconds(10), standing: [fence], isGranted: false)
        let stamp = try fill(at: seconds(10)) { try renew(at: seconds(10)) }
        #expect(stamp == nil)
    }

    // Attack: the server that was replaced answers reads for as long as it lives.
    @Test func `20: the answer of a read is refused if the lease is not good when it arrives`() throws {
        try renew(at: seconds(10))
        let ticket = view.willRead(in: view.fences(of: workspace))
        guard case .noLease = view.didRead(ticket, key: key, on: Self.timeline.mark, at: seconds(12.5)) else {
            return #expect(Bool(false), "a read counts without a lease")
        }
        // An answer without a key counts under a good lease, and is not stored.
        guard case .answer = view.didRead(ticket, key: nil, on: Self.timeline.mark, at: seconds(12)) else {
            return #expect(Bool(false), "an answer without a key is not one to use")
        }
    }

    // Attack: the lease is from the new server, the read from the old one.
    @Test func `21: the answer of a read is refused if it is from another timeline or server than the lease`() throws {
        try renew(at: seconds(10))
        let ticket = view.willRead(in: view.fences(of: workspace))
        for (system, number) in [(7, 2), (8, 1)] {
            let other = ServerTimeline(system: Int64(system), number: Int64(number))
            guard case .otherServer = view.didRead(ticket, key: key, on: other.mark, at: seconds(11)) else {
                return #expect(Bool(false), "a read of another server counts")
            }
        }
    }

    // Attack: another thread still sees the old slot when the fence is acknowledged. ThreadSanitizer and many threads look for it.
    @Test func `9: no thread admits an entry after its fence is listed`() async throws {
        try renew(at: seconds(10))
        let fences = view.fences(of: workspace)
        for _ in 0..<200 {
            let stamp = try #require(fill(at: seconds(10)))
            let lease = try #require(view.lease(at: seconds(10)))
            let fence = self.fence(key)
            let (view, key) = (self.view, self.key)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        // Until the renewal lists the fence, an answer from the entry is allowed.
                        while view.admits(stamp, lease) { await Task.yield() }
                        // From then on, neither the entry nor a read from before counts.
                        let ticket = view.willRead(in: fences)
                        let outcome = view.didRead(
                            ticket,
                            key: key,
                            on: Self.timeline.mark,
                            at: Moment(nanoseconds: 10_000_000_000)
                        )
                        if case .store = outcome { Issue.record("a read under the fence is stored") }
                        #expect(!view.admits(stamp, lease))
                    }
                }
                let renewal = view.beginRenewal(at: Moment(nanoseconds: 10_000_000_000))
                let answer = RenewalAnswer(isGranted: false, standing: [fence], timeline: Self.timeline)
                if let renewal { view.apply(answer, to: renewal, at: Moment(nanoseconds: 10_000_000_000)) }
                #expect(!view.admits(stamp, lease))
            }
            try renew(at: seconds(10))
        }
    }

    @Test func `keys are spread over the slots`() {
        let slots = Set((0..<20_000).map { _ in ObjectIdentifier(view.slot(of: UUID())) })
        #expect(slots.count > 4000)
        #expect(view.slot(of: key) === view.slot(of: key))
    }
}
