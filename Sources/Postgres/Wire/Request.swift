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
    let deadline: ContinuousClock.Instant
    /// Who asked.
    let waiter: Waiter<Rows>
    /// Who else waits for this result: identical look-ups that were joined.
    private var joined: [Waiter<Rows>] = []
    /// How often it was sent again, because a neighbour failed or the server had forgotten a prepared statement.
    var attempts = 0
    /// What the server has answered up to now; of several results the first error counts, else the last.
    var outcome: Result<Rows, PostgresError>?

    package init(_ work: Work, deadline: ContinuousClock.Instant, waiter: Waiter<Rows>) {
        self.work = work
        self.deadline = deadline
        self.waiter = waiter
    }

    /// Whether nobody waits any more.
    var isAbandoned: Bool { self.waiter.isFinished && self.joined.allSatisfy(\.isFinished) }

    func join(_ other: Request) { self.joined.append(other.waiter) }

    func fail(_ error: PostgresError) {
        if case .failure = self.outcome { return }
        self.outcome = .failure(error)
    }

    func succeed(_ rows: Rows) {
        if case .failure = self.outcome { return }
        self.outcome = .success(rows)
    }

    /// Resumes everybody who waits.
    package func finish(_ outcome: Result<Rows, PostgresError>) {
        self.waiter.finish(outcome)
        for waiter in self.joined { waiter.finish(outcome) }
    }
}
