import FoundationEssentials
import Locks
import Logging
import Postgres

/// The work of a lease's keeper, on the keeper's thread.
final class LeaseLoop: Sendable {
    private enum Life {
        case running
        case stopping
    }

    private struct State {
        var life = Life.running
        var isConnected = false
        /// The failed attempts since the last renewal that succeeded.
        var failures = 0
        /// The instant at which the log said that the lease cannot be renewed; `nil` if it can.
        var cutOffAt: Moment?
        /// The node's peppers that all nodes know; `nil` if the others were not asked yet.
        var sharedPeppers: [String]?
    }

    private let configuration: PostgresConfiguration
    private let node: UUID
    private let description: NodeDescription
    private let view: NodeView
    private let times: FenceTimes
    private let clock: FenceClock
    private let reactor: Reactor
    private let logger: Logger
    private let alarm: Alarm
    private let state = Locked(State())
    /// The loop itself, from its creation until its thread has ended.
    private let work = WaitGroup(1)

    init(
        _ configuration: PostgresConfiguration,
        node: UUID,
        description: NodeDescription,
        view: NodeView,
        times: FenceTimes,
        clock: @escaping FenceClock,
        reactor: Reactor,
        logger: Logger
    ) {
        var configuration = configuration
        configuration.applicationName = "mortise lease \(node.uuidString.lowercased())"
        configuration.connectDeadline = min(configuration.connectDeadline, times.renewalDeadline)
        configuration.queryDeadline = times.renewalDeadline
        // The server gives up what this side has given up.
        let limit = "\(times.renewalDeadline.timeoutMilliseconds)ms"
        self.configuration = configuration.setting("lock_timeout", limit).setting("statement_timeout", limit)
            .setting("default_transaction_isolation", "read committed")
            // An operator can make a server read-only for changes. Leases go on, so that keys are verified.
            .setting("default_transaction_read_only", "off")
        self.node = node
        self.description = description
        self.view = view
        self.times = times
        self.clock = clock
        self.reactor = reactor
        alarm = Alarm(on: reactor)
        self.logger = logger
    }

    /// Makes the loop renew now, unless it has to connect first: the pauses between attempts are short, and protect the server.
    func hasten() {
        if state.withLock(\.isConnected) { alarm.ring() }
    }

    /// Makes the loop leave and end.
    func stop() {
        // First the lease stops to count, then the row is deleted (rule 8).
        view.leave()
        state.withLock { $0.life = .stopping }
        alarm.ring()
    }

    /// Notes that the loop and its thread have ended.
    func finish() { work.end() }

    /// Waits for ``finish()``.
    func untilFinished() async { await work.wait() }

    /// Returns the time for which the lease could not be renewed, as the log says; `nil` if it can be.
    func cutOffTime(at now: Moment) -> Duration? { state.withLock(\.cutOffAt).map { now - $0 } }

    /// The peppers of this node that all nodes know, in this node's order; `nil` if the others were not asked yet.
    var sharedPeppers: [String]? { state.withLock(\.sharedPeppers) }

    private var isStopping: Bool { state.withLock { $0.life != .running } }

    /// Connects and renews until the loop is stopped.
    func run() async {
        while !isStopping {
            do {
                try await withSession { session, timeline in
                    try await renew(session, timeline)
                    await leave(session)
                }
            } catch {
                let failures = noteFailure(error)
                if !isStopping { await alarm.wait(atMost: times.pause(after: failures)) }
            }
        }
    }

    /// Counts a failed attempt, and logs the cause once for all attempts until a renewal succeeds.
    ///
    /// A connection that breaks and is opened again at once costs nothing, and is no error.
    private func noteFailure(_ error: any Error) -> Int {
        let now = clock()
        let isOver = view.lease(at: now) == nil
        let (failures, isNew) = state.withLock { state in
            state.failures += 1
            let isFirst = state.cutOffAt == nil && state.life == .running && (isOver || state.failures > 1)
            if isFirst { state.cutOffAt = now }
            return (state.failures, isFirst)
        }
        if isNew {
            var metadata: Logger.Metadata = ["database": "\(configuration)", "error": "\(error)"]
            if let reason = (error as? PostgresError)?.reasonOfRefusal { metadata["reason"] = "\(reason)" }
            logger.error(
                "a PostgreSQL server cannot be used: this node's lease cannot be renewed, so keys there are not verified",
                metadata: metadata
            )
        }
        return failures
    }

    private func noteRenewal() {
        let wasCutOff = state.withLock { state in
            state.failures = 0
            defer { state.cutOffAt = nil }
            return state.cutOffAt != nil
        }
        if wasCutOff {
            logger.notice("a PostgreSQL server can be used again", metadata: ["database": "\(configuration)"])
        }
    }

    private func withSession(_ body: (PostgresConnection, ServerTimeline) async throws -> Void) async throws {
        let session = try await PostgresConnection.connect(configuration, reactor: reactor, logger: logger)
        // On the keeper's thread: another one would have to get a processor first.
        let listener = Task(executorPreference: reactor) { [alarm, clock, view] in
            for await notification in session.notifications {
                if let fence = StandingFence(notification: notification.payload) { view.hear(of: fence, at: clock()) }
                alarm.ring()
            }
            // The connection broke. The next renewal finds out.
            alarm.ring()
        }
        try await withResource(session) { session in
            // A renewal that was given up can still wait on the server, for a standby for example.
            try await session.query(FenceStatements.endOthers, [configuration.applicationName])
            let (timeline, _) = try await session.readTimeline()
            // Before the lease, so that nobody who sees the lease misses the description.
            await describe(over: session)
            try await session.listen(FenceStatements.channel)
            state.withLock { $0.isConnected = true }
            defer { state.withLock { $0.isConnected = false } }
            try await body(session, timeline)
        } close: {
            await $0.close()
            await listener.value
        }
    }

    /// Renews the lease until the loop is stopped or a renewal fails.
    private func renew(_ session: PostgresConnection, _ timeline: ServerTimeline) async throws {
        var askedAt = clock()
        var hadLease = false
        while let renewal = beginRenewal() {
            // Somebody can have deleted the row of a node that was silent, and the others count its peppers no more.
            if hadLease, view.lease(at: clock()) == nil {
                hadLease = false
                await describe(over: session)
            }
            let answer: RenewalAnswer
            do throws(PostgresError) {
                let rows = try await session.query(FenceStatements.renew, [node, Array(renewal.listed)])
                answer = try RenewalAnswer(rows, timeline: timeline)
            } catch {
                view.giveUp(renewal)
                throw error
            }
            let now = clock()
            let next = view.apply(answer, to: renewal, at: now)
            if view.lease(at: now) != nil {
                hadLease = true
                noteRenewal()
            }
            if next == .later {
                if now - askedAt >= Self.pepperInterval {
                    askedAt = now
                    await askForPeppers(session)
                }
                await alarm.wait(atMost: times.renewal - (clock() - renewal.sentAt))
            }
        }
    }

    /// The minimum time between two looks at the peppers of the other nodes.
    private static let pepperInterval = Duration.seconds(1)

    /// Tells the other nodes what this one is, and asks them for their peppers.
    ///
    /// No rule of the fences depends on it, and the database of an earlier release has no place for it, so a failure ends nothing.
    private func describe(over session: PostgresConnection) async {
        let described: [any PostgresEncodable] = [
            node, description.host, description.process, description.version, description.peppers,
        ]
        do throws(PostgresError) {
            try await session.query(FenceStatements.describe, described)
        } catch {
            logger.debug("this node could not describe itself to the others", metadata: ["error": "\(error)"])
        }
        await askForPeppers(session)
    }

    /// Reads which peppers the other nodes know.
    ///
    /// A node with one pepper has no choice.
    private func askForPeppers(_ session: PostgresConnection) async {
        guard description.peppers.count > 1 else { return }
        var shared = description.peppers
        do throws(PostgresError) {
            for row in try await session.query(FenceStatements.peppers, [node]) {
                let theirs = try row.decode(0, as: [String].self)
                shared.removeAll { !theirs.contains($0) }
            }
        } catch {
            logger.debug("the peppers of the other nodes could not be read", metadata: ["error": "\(error)"])
            return
        }
        let before = state.withLock { state in
            defer { state.sharedPeppers = shared }
            return state.sharedPeppers
        }
        guard shared != before, before != nil || shared != description.peppers else { return }
        let metadata: Logger.Metadata = ["peppers": "\(shared.joined(separator: ", "))"]
        if shared == description.peppers {
            logger.notice(
                "all nodes know the peppers of this one, and new tokens use the first one",
                metadata: metadata
            )
        } else {
            logger.notice(
                "a node lacks a pepper of this one, which new tokens do not use meanwhile",
                metadata: metadata
            )
        }
    }

    private func beginRenewal() -> Renewal? {
        // Whoever has rung so far wants a renewal that begins now or later. A stop is seen below, because the view has left before it rings.
        alarm.reset()
        return view.beginRenewal(at: clock())
    }

    /// Deletes the node's row.
    ///
    /// A row that stays costs the next change one wait.
    private func leave(_ session: PostgresConnection) async {
        do throws(PostgresError) {
            try await session.query(FenceStatements.leave, [node])
            _ = try? await session.query(FenceStatements.forget, [node])
        } catch {
            logger.notice("the lease on a cluster could not be deleted", metadata: ["error": "\(error)"])
        }
    }
}
