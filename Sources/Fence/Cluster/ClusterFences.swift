import FoundationEssentials
import Locks
public import Logging
public import Postgres

/// The fences around the changes of one cluster (rules 22 to 32).
public final class ClusterFences: Sendable {
    private let pool: PostgresPool
    private let times: FenceTimes
    private let statementDeadline: Duration
    private let leastTime: Duration
    private let clock: FenceClock
    private let logger: Logger
    /// The lifts for which no change waits.
    private let lifts = WaitGroup()
    /// The last timeline that a change of this node has found recorded (rule 32).
    private let recorded = Locked<ServerTimeline?>(nil)

    /// The pauses between two looks at the acknowledgements.
    ///
    /// Nodes answer after two commits, in 3 ms or more, so the first look comes after a pause, too. A pause is 1 ms and a quarter of the time that has
    /// passed, so a change is not held up for much longer than the slowest node. A busy server is asked seldom.
    private static let firstPause = Duration.milliseconds(1)
    private static let longestPause = Duration.milliseconds(20)

    /// Creates the fences of a cluster.
    ///
    /// - Parameters:
    ///   - pool: Connections to the cluster's database, as the runtime role. A change uses one for its whole time.
    ///   - times: The durations of the protocol.
    ///   - statementDeadline: The maximum time of a statement. In a change with a common deadline that is nearer, it is all the time that
    ///     the change has left.
    ///   - leastTime: The time that a statement gets even if the change has none left.
    ///   - clock: The clock.
    ///   - logger: Gets a line for each change that waited for a silent node.
    public init(
        _ pool: PostgresPool,
        times: FenceTimes = .standard,
        statementDeadline: Duration = .seconds(10),
        leastTime: Duration = .seconds(1),
        clock: @escaping FenceClock = { .now },
        logger: Logger
    ) {
        self.pool = pool
        self.times = times
        self.statementDeadline = statementDeadline
        self.leastTime = leastTime
        self.clock = clock
        self.logger = logger
    }

    /// Makes a change under fences, and returns when no verification that starts from now on sees an older state.
    ///
    /// The cancellation of the task reaches the change, but no statement of the fences: a fence that is not lifted keeps keys from being
    /// cached. The task's common deadline is the one of all statements together, but each gets a little time in any case.
    ///
    /// A change that was rolled back is answered first, and its fences are lifted then: see ``untilLifted()``.
    ///
    /// - Parameters:
    ///   - keys: The keys that the change is about. One fence around all of them stands until the change is made.
    ///   - change: Commits the change, on another connection. It runs at most once. It must throw `commitOutcomeUnknown` if it does not know
    ///     the outcome, and must return if it finds nothing to change.
    /// - Returns: The value of the change.
    /// - Throws: The error of the change, if it was rolled back or if its outcome is unknown. `PostgresError` if no fence could be
    ///   inserted, so that the change was not made. ``FenceError`` if the change was made without the promise.
    public func perform<Value>(_ keys: FencedKeys, _ change: () async throws -> Value) async throws -> Value {
        var course = FencedChange(times: times)
        var result: Result<Value, any Error>?
        var fault: any Error = FenceError.unknown
        while true {
            if case .finished(let outcome) = course.step { return try Self.value(of: result, outcome, fault) }
            // A session for each attempt: the next fences can be on another server (rule 29).
            do {
                try await pool.withConnection(leaving: { session in
                    try await advance(&course, keys, session, &result, change)
                    return ((), followUp(of: course))
                })
            } catch {
                logger.debug("a session with a fence ended", metadata: ["error": "\(error)"])
                fault = error
                course.lostSession()
            }
        }
    }

    /// Takes the steps of the fences of one attempt.
    private func advance<Value>(
        _ course: inout FencedChange,
        _ keys: FencedKeys,
        _ session: PostgresConnection,
        _ result: inout Result<Value, any Error>?,
        _ change: () async throws -> Value
    ) async throws {
        var isFirst = true
        var timeline: ServerTimeline?
        var suffices = false
        while true {
            switch course.step {
            case .insert(let fence):
                guard isFirst else { return }
                isFirst = false
                let (life, deadline) = (times.fenceLife, nextDeadline)
                let (present, recorded) = try await shielded {
                    try await session.insertFence(fence, around: keys, life: life, deadline: deadline)
                }
                timeline = present
                // On a timeline that no change has recorded, a lease of an earlier one can still be good (rule 32).
                suffices = recorded == present
                if suffices { note(present) }
                course.inserted(at: clock())
            case .wait(let fence, let end):
                try await wait(for: fence, until: end, session, ifSufficient: suffices)
                    ? course.acknowledged() : course.passed(to: clock())
            case .removeSilentNodes(let fence):
                try await ask(session, FenceStatements.removeSilentNodes, fence)
                // The statement has recorded the timeline.
                if let timeline { note(timeline) }
                logger.notice(
                    "a change waited for the full time: a node did not acknowledge, or it was the first change on this timeline"
                )
                course.removedSilentNodes()
            case .commit:
                await commit(&course, &result, change)
            case .lift(let fence):
                let rows = try await ask(session, FenceStatements.lift, fence)
                course.lifted(wasStanding: try rows.first?.decode(0, as: Bool.self) ?? false)
            case .finished:
                return
            }
        }
    }

    /// Waits for the acknowledgements of all listed nodes.
    ///
    /// - Returns: False if the time is over.
    private func wait(
        for fence: UUID,
        until end: Moment,
        _ session: PostgresConnection,
        ifSufficient suffices: Bool
    ) async throws -> Bool {
        var pause = Self.firstPause
        while true {
            let rest = min(pause, end - clock())
            if rest > .zero { try await shielded { try await Task.sleep(for: rest) } }
            pause = min(pause * 5 / 4, Self.longestPause)
            if suffices,
                try await ask(session, FenceStatements.isAcknowledged, fence).first?.decode(0, as: Bool.self) == true
            {
                return true
            }
            if clock() >= end { return false }
        }
    }

    /// The maximum time of the next statement: all the time that the change has left, and a little in any case.
    ///
    /// A statement can be held up by one slow commit of a busy disk. It is not given up while its change still has time.
    private var nextDeadline: Duration { max(leastTime, PostgresDeadline.limit(statementDeadline)) }

    /// Executes a statement about fences.
    @discardableResult
    private func ask(
        _ session: PostgresConnection,
        _ statement: Statement,
        _ fence: UUID
    ) async throws -> Rows {
        let deadline = nextDeadline
        return try await shielded { try await session.query(statement, [fence], deadline: deadline) }
    }

    /// Runs `body` out of reach of the caller's cancellation, on the thread of the connections.
    ///
    /// Elsewhere, each statement would change threads twice, and wait for a processor both times while verifications use all of them.
    private func shielded<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await Task.detached(executorPreference: pool.reactor) { try await body() }.value
    }

    // MARK: Lifts for which no change waits

    /// Returns the lift of the fence of a change that was rolled back, which keeps the session until it has ended.
    ///
    /// It has the time that a statement of the change would have. A fence that it does not lift expires.
    private func followUp(of course: FencedChange) -> PostgresPool.FollowUp? {
        guard case .finished(.refused(let fence)) = course.step else { return nil }
        let deadline = nextDeadline
        lifts.begin()
        return { [self] session in
            do {
                try await session.query(FenceStatements.lift, [fence], deadline: deadline)
            } catch {
                logger.debug("the fence of a refused change expires", metadata: ["error": "\(error)"])
            }
            lifts.end()
        }
    }

    private func note(_ timeline: ServerTimeline) { recorded.withLock { $0 = timeline } }

    /// Returns true if no lease of an earlier timeline than this one can be good, as far as this node knows (rule 32).
    public func hasRecorded(_ timeline: ServerTimeline) -> Bool { recorded.withLock { $0 == timeline } }

    /// Waits until the fences of all changes that were rolled back are lifted or given up.
    public func untilLifted() async { await lifts.wait() }

    private func commit<Value>(
        _ course: inout FencedChange,
        _ result: inout Result<Value, any Error>?,
        _ change: () async throws -> Value
    ) async {
        do {
            result = .success(try await change())
            course.committed()
        } catch {
            result = .failure(error)
            if (error as? PostgresError)?.code == .commitOutcomeUnknown {
                course.commitUnknown()
            } else {
                course.rolledBack()
            }
        }
    }

    private static func value<Value>(
        of result: Result<Value, any Error>?,
        _ outcome: FencedChange.Outcome,
        _ fault: any Error
    ) throws -> Value {
        switch outcome {
        case .completed, .refused:
            guard let result else { throw FenceError.unknown }
            return try result.get()
        case .notStarted:
            throw fault
        case .unknown:
            if case .failure(let error) = result { throw error }
            throw FenceError.unknown
        }
    }
}
