public import FoundationEssentials
import Locks
import Postgres
import Synchronization

/// A renewal of a lease that is on its way.
public struct Renewal: Sendable {
    let number: UInt64
    /// The clock before the renewal was sent.
    public let sentAt: Moment
    /// The fences that the node has raised.
    public let listed: Set<UUID>
}

/// The answer of a cluster to a renewal.
public struct RenewalAnswer: Sendable {
    /// True if the lease was renewed.
    public let isGranted: Bool
    /// The fences that stand.
    public let standing: [StandingFence]
    /// The timeline of the server that answered.
    public let timeline: ServerTimeline
    /// The number of other nodes that have renewed a lease lately.
    public let otherNodes: Int

    /// Creates an answer.
    public init(isGranted: Bool, standing: [StandingFence], timeline: ServerTimeline, otherNodes: Int = 0) {
        self.isGranted = isGranted
        self.standing = standing
        self.timeline = timeline
        self.otherNodes = otherNodes
    }
}

extension NodeView {
    /// The moment of the next renewal.
    public enum NextRenewal: Sendable, Hashable {
        /// The renewal was refused because of fences, which are raised now. The next one lists them.
        case atOnce
        /// The next renewal is due after its usual time.
        case later
    }

    /// The state that only the keeper of the lease uses.
    struct Keeping {
        /// The slots and the workspace of a fence that was raised, and the moment of that.
        struct Raised {
            let slots: [FenceSlot]
            let workspace: WorkspaceFences
            let moment: Moment
        }

        var raised: [UUID: Raised] = [:]
        /// The renewal whose answer counts.
        var current: UInt64?
        var lastNumber: UInt64 = 0
        var hasLeft = false
    }

    /// The number of fences that the node has raised and not lifted.
    public var raisedCount: Int { keeping.withLock { $0.raised.count } }

    /// The moment at which the node raised the oldest fence that it has not lifted, or `nil` without such a fence.
    public var oldestRaise: Moment? { keeping.withLock { $0.raised.values.map(\.moment).min() } }

    /// Begins a renewal, which replaces one that has no answer (rule 5).
    ///
    /// - Parameter now: The clock before the renewal is sent (rule 1).
    /// - Returns: The renewal, or `nil` if the node has left.
    public func beginRenewal(at now: Moment) -> Renewal? {
        keeping.withLock { keeping in
            guard !keeping.hasLeft else { return nil }
            keeping.lastNumber += 1
            keeping.current = keeping.lastNumber
            return Renewal(number: keeping.lastNumber, sentAt: now, listed: Set(keeping.raised.keys))
        }
    }

    /// Gives up a renewal, whose answer does not count any more.
    public func giveUp(_ renewal: Renewal) {
        keeping.withLock { keeping in
            if keeping.current == renewal.number { keeping.current = nil }
        }
    }

    /// Applies the answer to a renewal: lifts fences, raises fences, and counts the lease.
    ///
    /// - Parameters:
    ///   - answer: The answer.
    ///   - renewal: The renewal. The answer is dropped if another renewal has begun, or if this one was given up.
    ///   - now: The clock after the answer arrived.
    /// - Returns: The moment of the next renewal.
    @discardableResult
    public func apply(_ answer: RenewalAnswer, to renewal: Renewal, at now: Moment) -> NextRenewal {
        keeping.withLock { keeping in
            guard keeping.current == renewal.number, !keeping.hasLeft else { return .later }
            keeping.current = nil
            nodes.store(answer.otherNodes + 1, ordering: .relaxed)
            let standing = Set(answer.standing.map(\.id))
            for id in renewal.listed where !standing.contains(id) { Self.lift(id, &keeping) }
            for fence in answer.standing where keeping.raised[fence.id] == nil { raise(fence, &keeping, at: now) }
            guard answer.isGranted else { return .atOnce }
            install(renewal, answer.timeline, at: now)
            return .later
        }
    }

    /// Raises a fence of which a notification told, so that the next renewal lists it instead of being refused.
    ///
    /// A notification can be late. A fence that is gone is lifted with the answer to that renewal.
    func hear(of fence: StandingFence, at now: Moment) {
        keeping.withLock { keeping in
            if keeping.raised[fence.id] == nil { raise(fence, &keeping, at: now) }
        }
    }

    /// Leaves the cluster: the lease does not count from now on, and no later one does (rule 8).
    ///
    /// The entries of caches that belong to this view count no more, also not under the lease of a view that takes its place: that one
    /// would know nothing of the fences around them.
    ///
    /// Delete the node's row after this call.
    public func leave() {
        keeping.withLock { keeping in
            keeping.hasLeft = true
            leaseEnd.store(Moment.distantPast.nanoseconds, ordering: .sequentiallyConsistent)
            // Fences that nobody lifts: each stamp was taken without one.
            for fences in workspaces.withLock({ Array($0.values) }) { fences.slot.open() }
        }
    }

    /// True if the node has left the cluster, so that no lease will be good again.
    public var hasLeft: Bool { keeping.withLock { $0.hasLeft } }

    /// Raises a fence (rules 9 and 12).
    private func raise(_ fence: StandingFence, _ keeping: inout Keeping, at now: Moment) {
        let workspace = fences(of: fence.keys.workspace)
        let slots = fence.keys.keys?.map(slot(of:)) ?? [workspace.slot]
        for slot in slots { slot.open() }
        workspace.countChange()
        // The fence is listed, and so acknowledged, only after every thread can see it.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        keeping.raised[fence.id] = Keeping.Raised(slots: slots, workspace: workspace, moment: now)
    }

    /// Lifts a fence (rules 10 and 18).
    private static func lift(_ id: UUID, _ keeping: inout Keeping) {
        guard let raised = keeping.raised.removeValue(forKey: id) else { return }
        // The count first: a read that began under the fence must not find a slot closed and the count unchanged.
        raised.workspace.countChange()
        for slot in raised.slots { slot.close() }
    }

    /// Counts a lease (rules 1 and 7).
    private func install(_ renewal: Renewal, _ timeline: ServerTimeline, at now: Moment) {
        if lease(at: now) == nil { epoch.add(1, ordering: .sequentiallyConsistent) }
        leaseTimeline.store(timeline.mark.number, ordering: .sequentiallyConsistent)
        leaseEnd.store((renewal.sentAt + times.trust).nanoseconds, ordering: .sequentiallyConsistent)
    }
}
