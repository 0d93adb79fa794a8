public import FoundationEssentials
import Locks
public import Logging
public import Postgres

/// The keeper of a node's lease on one cluster: one connection, and a thread of its own.
///
/// Nothing that requests do can delay a renewal. The keeper reconnects after every loss, for as long as it lives. It ends with its last
/// reference. ``shutdown()`` also deletes the node's row, so that no change waits for the node.
public final class LeaseKeeper: Sendable {
    /// The node's view of the cluster.
    public let view: NodeView
    /// The id of the node, which is new for every keeper (rule 6).
    public let node: UUID

    private let loop: LeaseLoop
    private let clock: FenceClock
    private let waits = LeaseWaits()

    /// Starts to keep a lease.
    ///
    /// - Parameters:
    ///   - configuration: The cluster's database, as the runtime role.
    ///   - description: The node, as the others see it. Defaults to one without peppers.
    ///   - times: The durations of the protocol.
    ///   - clock: The clock.
    ///   - logger: Gets a line when the cluster is lost and when it is back.
    /// - Throws: `closed` if the system provides no descriptors.
    public init(
        _ configuration: PostgresConfiguration,
        description: NodeDescription = NodeDescription(),
        times: FenceTimes = .standard,
        clock: @escaping FenceClock = { .now },
        logger: Logger
    ) throws(PostgresError) {
        view = NodeView(times: times)
        node = UUID()
        self.clock = clock
        let reactor = try Reactor(name: "lease")
        loop = LeaseLoop(
            configuration,
            node: node,
            description: description,
            view: view,
            times: times,
            clock: clock,
            reactor: reactor,
            logger: logger
        )
        let loop = self.loop
        Task(executorPreference: reactor) {
            await loop.run()
            await reactor.shutdown()
            loop.finish()
        }
    }

    deinit { loop.stop() }

    /// True while the lease cannot be renewed, which the log says once.
    public var isCutOff: Bool { loop.cutOffTime(at: clock()) != nil }

    /// Returns true if the lease is over and could not be renewed for a time.
    ///
    /// No answer of the server counts then, so nobody needs to wait for one.
    ///
    /// - Parameter time: The time.
    /// - Returns: False with a good lease, and while the keeper may get one soon.
    public func isCutOff(for time: Duration) -> Bool {
        let now = clock()
        guard view.lease(at: now) == nil, let past = loop.cutOffTime(at: now) else { return false }
        return past >= time
    }

    /// The peppers of this node that all nodes know, in this node's order; `nil` if the others were not asked yet.
    ///
    /// A node with one pepper does not ask. The answer is as old as the last renewal.
    public var sharedPeppers: [String]? { loop.sharedPeppers }

    /// Waits until the lease is good.
    ///
    /// A server that is back answers within the pause between two attempts, so a long wait is of no use. A cancelled task stops waiting.
    ///
    /// - Parameter duration: The maximum wait.
    /// - Returns: True if the lease is good.
    public func waitForLease(atMost duration: Duration) async -> Bool {
        if view.lease(at: clock()) != nil { return true }
        loop.hasten()
        let end = ContinuousClock.now + duration
        while view.lease(at: clock()) == nil {
            guard !Task.isCancelled, ContinuousClock.now < end else { return false }
            await waits.round()
        }
        return true
    }

    /// Leaves the cluster, and returns when the connection is closed and the thread has ended.
    ///
    /// From the beginning of this call on, the view admits no entry and accepts no read.
    public func shutdown() async {
        loop.stop()
        await loop.untilFinished()
    }
}
