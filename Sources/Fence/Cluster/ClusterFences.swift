import FoundationEssentials
public import Logging
public import Postgres

/// The fences around the changes of one cluster (rules 22 to 32).
///
public final class ClusterFences: Sendable {
    private let pool: PostgresPool
    private let times: FenceTimes
    private let clock: FenceClock
    private let logger: Logger

    /// The pauses between two looks at the acknowledgements.
    ///
    /// Nodes answer after two commits, in 3 ms or more. A pause is 1 ms and a quarter of the time that has passed, so a change is not held up for
    /// much longer than the slowest node. A busy server is asked seldom.
    private static let firstPause = Duration.milliseconds(1)
    private static let longestPause = Duration.milliseconds(20)

    /// Creates the fences of a cluster.
    ///
    /// - Parameters:
    ///   - pool: Connections to the cluster's database, as the runtime role. A change uses one for its whole time.
    ///   - times: The durations of the protocol.
    ///   - clock: The clock.
    ///   - logger: Gets a line for each change that waited for a silent node.
    public init(
        _ pool: PostgresPool,
        times: FenceTimes = .standard,
        clock: @escaping FenceClock = { .now },
        logger: Logger
    ) {
        self.pool = pool
        self.times = times
        self.clock = clock
        self.logger = logger
    }

    /// Makes a change under a fence, and returns when no verification that starts from now on sees an older state.
    ///
    /// The cancellation and the common deadline of the task reach the change, but no statement of the fence: a fence that is not lifted keeps
    /// keys from being cached.
    ///
    /// - Parameters:
    ///   - target: The keys that the change is about.
    ///   - change: Commits the change, on another connection. It runs at most once. It must throw `commitOutcomeUnknown` if it does not know
    ///     the outcome, and must return if it finds nothing to change.
    /// - Returns: The value of the change.
    /// - Throws: The error of the change, if it was rolled back or if its outcome is unknown. `PostgresError` if no fence could be inserted,
    ///   so that the change was not made. ``FenceError`` if the change was made without the promise.
    public func perform<Value>(_ target: FenceTarget, _ change: () async throws -> Value) async throws -> Value {
        var course = FencedChange(times: times)
        var result: Result<Value, any Error>?
        var fault: any Error = FenceError.unknown
        while true {
            if case .finished(let outcome) = course.step { return try Self.value(of: result, outcome, fault) }
            // A session for each fence: the next fence can be on another server (rule 29).
            do {
                try await pool.withConnection { session in
                    try await advance(&course, target, session, &result, change)
                }
            } catch {
                logger.debug("a session with a fence ended", metadata: ["error": "\(error)"])
                fault = error
                course.lostSession()
            }
        }
    }

    /// Takes the steps of one fence.
    private func advance<Value>(
        _ course: inout FencedChange,
        _ target: FenceTarget,
        _ session: PostgresConnection,
        _ result: inout Result<Value, any Error>?,
        _ change: () async throws -> Value
    ) async throws {
        let (timeline, recorded) = try await shielded { try await session.readTimeline() }
        var isFirst = true
        while true {
            switch course.step {
            case .insert(let fence):
                guard isFirst else { return }
                isFirst = false
                let life = times.fenceLife.milliseconds
                try await shielded {
                    try await session.query(FenceStatements.insert, [fence, target.workspace, target.key, life])
                }
                course.inserted(at: clock())
            case .wait(let fence, let end):
                // On a timeline that no change has recorded, a lease of an earlier one can still be good (rule 32).
                try await wait(for: fence, until: end, session, ifSufficient: recorded == timeline)
                    ? course.acknowledged() : course.passed(to: clock())
            case .removeSilentNodes(let fence):
                try await shielded { try await session.query(FenceStatements.removeSilentNodes, [fence]) }
                logger.notice(
                    "a change has waited for nodes that did not acknowledge, or for the first time on this server"
                )
                course.removedSilentNodes()
            case .commit:
                await commit(&course, &result, change)
            case .lift(let fence):
                let rows = try await shielded { try await session.query(FenceStatements.lift, [fence]) }
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
            if suffices,
                try await shielded({ try await session.query(FenceStatements.isAcknowledged, [fence]) }).first?
                    .decode(0, as: Bool.self) == true
            {
                return true
            }
            let now = clock()
            if now >= end { return false }
            let rest = min(pause, end - now)
            try await shielded { try await Task.sleep(for: rest) }
            pause = min(pause * 5 / 4, Self.longestPause)
        }
    }

    /// Runs `body` out of reach of the caller's cancellation and common deadline.
    @discardableResult
    private func shielded<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await Task.detached { try await body() }.value
    }

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

extension Duration {
    /// The whole milliseconds of the duration.
    var milliseconds: Int64 {
        let parts = components
        return parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000
    }
}
