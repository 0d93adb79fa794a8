package import LibPQ

/// One thing that a connection is asked to do, and what has been learned about it so far.
///
/// A class, because it moves through three queues for every statement, and moving one reference is what that should cost.
package final class Request: @unchecked Sendable {  // its state is touched under the session's locks only
    /// What to do.
    package enum Work: Sendable {
        /// A statement in the pipeline.
        case query(Statement, ParameterBuffer)
        /// SQL by the simple protocol, outside the pipeline.
        case script(String)
        /// COPY … FROM STDIN: done, for its caller, when the server asks for data.
        case copyIn(String)
    }

    let work: Work
    /// When the last of those who wait stops waiting.
    private(set) var deadline: ContinuousClock.Instant
    /// Who asked.
    let waiter: Waiter<Rows>
    private let ownDeadline: ContinuousClock.Instant
    /// Who else waits for this result, and how long: identical look-ups that were joined.
    private var joined: [(waiter: Waiter<Rows>, deadline: ContinuousClock.Instant)] = []
    /// How often it was sent again, because a neighbour failed or the server had forgotten a prepared statement.
    var attempts = 0
    /// What the server has answered up to now; of several results the first error counts, else the last.
    var outcome: Result<Rows, PostgresError>?
    private var incidents: Incidents?
    /// Why it was sent a second time, if it failed by no fault of its own.
    var firstFailure: PostgresError? {
        get { incidents?.firstFailure }
        set { noted.firstFailure = newValue }
    }
    /// Why the server is to stop it, once somebody wants that.
    var stopReason: PostgresError? {
        get { incidents?.stopReason }
        set { noted.stopReason = newValue }
    }
    /// Whether it was written when a cancellation was sent, which may have hit it.
    var isExposed = false

    /// What happens to few requests, kept apart from the many: errors are large.
    private final class Incidents {
        var firstFailure: PostgresError?
        var stopReason: PostgresError?
    }

    private var noted: Incidents {
        let noted = incidents ?? Incidents()
        incidents = noted
        return noted
    }

    package init(_ work: Work, deadline: ContinuousClock.Instant, waiter: Waiter<Rows>) {
        self.work = work
        self.deadline = deadline
        ownDeadline = deadline
        self.waiter = waiter
    }

    /// Why libpq could not send it as it is: C strings end at a zero byte, and the protocol counts parameters in 16 bits.
    var refusal: PostgresError? {
        let hasZeroByte: Bool
        switch work {
        case .query(let statement, let parameters):
            if parameters.count > Int(UInt16.max) {
                return PostgresError(.protocolViolation, "a statement takes at most 65535 parameters")
            }
            hasZeroByte = statement.hasZeroByte
        case .script(let sql), .copyIn(let sql):
            hasZeroByte = sql.utf8.contains(0)
        }
        return hasZeroByte ? PostgresError(.protocolViolation, "a statement cannot contain a zero byte") : nil
    }

    /// How many callers it has.
    var callerCount: Int { 1 + joined.count }

    /// Whether nobody waits any more.
    var isAbandoned: Bool { waiter.isFinished && joined.allSatisfy(\.waiter.isFinished) }

    func join(_ other: Request) {
        joined.append((other.waiter, other.ownDeadline))
        deadline = max(deadline, other.ownDeadline)
    }

    /// Those who wait although their time is over.
    func overdue(at now: ContinuousClock.Instant) -> [Waiter<Rows>] {
        var overdue = ownDeadline <= now && !self.waiter.isFinished ? [self.waiter] : []
        for (waiter, deadline) in joined where deadline <= now && !waiter.isFinished { overdue.append(waiter) }
        return overdue
    }

    func fail(_ error: PostgresError) {
        if case .failure = outcome { return }
        outcome = .failure(error)
    }

    func succeed(_ rows: Rows) {
        if case .failure = outcome { return }
        outcome = .success(rows)
    }

    /// Resumes everybody who waits.
    package func finish(_ outcome: Result<Rows, PostgresError>) {
        self.waiter.finish(outcome)
        for (waiter, _) in joined { waiter.finish(outcome) }
    }
}
