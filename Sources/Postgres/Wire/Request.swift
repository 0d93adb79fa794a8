package import LibPQ

/// A request to a connection, with its caller and the outcome so far.
///
/// A class, because a request moves through three queues, and moving a reference is cheap.
package final class Request: @unchecked Sendable {  // the session's locks guard its state, but the wait's own lock
    /// The work of a request.
    package enum Work: Sendable {
        /// A statement in the pipeline.
        case query(Statement, ParameterBuffer)
        /// Statements that are one transaction in the pipeline. The transaction begins before them and is committed after them.
        case transaction([BoundStatement])
        /// SQL by the simple protocol, outside the pipeline.
        case script(String)
        /// COPY … FROM STDIN. Its first caller is resumed when the server asks for data.
        case copyIn(String)
    }

    let work: Work
    private let wait = Wait<Rows>()
    /// The deadline of the request's own caller.
    private let ownDeadline: MonotonicInstant
    /// The latest deadline of all callers.
    private(set) var deadline: MonotonicInstant
    /// The instant after which a connection of its own is closed if the server has not obeyed the cancellation; `nil` is the session's
    /// rule.
    let end: MonotonicInstant?
    /// The identical look-ups that were joined to this one, each with its caller.
    private var joined: [Request] = []
    /// The number of times that the statement was sent again.
    ///
    /// A statement is sent again if a neighbor failed, or if the server no longer knew the prepared statement.
    var attempts = 0
    /// The outcome so far: the first error of several results, or else the last result.
    var outcome: Outcome<Rows>?
    /// True if the server has refused the statement.
    var hasFailed: Bool { if case .failure = outcome { true } else { false } }
    private var incidents: Incidents?
    /// The failure after which the statement was sent again, if it was not the statement's own fault.
    var firstFailure: PostgresError? {
        get { incidents?.firstFailure }
        set { noted.firstFailure = newValue }
    }
    /// The reason to stop the statement on the server, if a caller wants that.
    var stopReason: PostgresError? {
        get { incidents?.stopReason }
        set { noted.stopReason = newValue }
    }
    /// The strongest doubt that a warning of the server has cast on the statement's commit.
    var doubt: CommitUncertainty? {
        get { incidents?.doubt }
        set { noted.doubt = newValue }
    }
    /// True if the statement ends a transaction.
    var isCommit: Bool {
        if case .query(let statement, _) = work { statement.isCommit } else { false }
    }
    /// True if the request can take longer than a look-up: a transaction waits for locks, and a script can do anything.
    var isLong: Bool {
        switch work {
        case .transaction, .script: true
        case .query, .copyIn: false
        }
    }
    /// True if the request must begin behind a sync point: no other statement decides how it ends.
    var isGroup: Bool {
        if case .transaction = work { true } else { attempts > 0 }
    }
    /// True if the statement was written when a cancellation was sent, which can have hit it.
    var isExposed = false

    /// The state that only few requests have.
    ///
    /// A class of its own keeps other requests small, because errors are large.
    private final class Incidents {
        var firstFailure: PostgresError?
        var stopReason: PostgresError?
        var doubt: CommitUncertainty?
    }

    private var noted: Incidents {
        let noted = incidents ?? Incidents()
        incidents = noted
        return noted
    }

    package init(_ work: Work, deadline: MonotonicInstant, end: MonotonicInstant? = nil) {
        self.work = work
        self.deadline = deadline
        self.end = end
        ownDeadline = deadline
    }

    /// The error of a request that libpq cannot send: C strings end at a zero byte, and the protocol counts parameters in 16 bits.
    var refusal: PostgresError? {
        switch work {
        case .query(let statement, let parameters):
            BoundStatement(statement, parameters).refusal
        case .transaction(let statements):
            statements.lazy.compactMap(\.refusal).first
        case .script(let sql), .copyIn(let sql):
            sql.utf8.contains(0) ? BoundStatement.zeroByte : nil
        }
    }

    /// True if a caller wants the statement stopped on the server.
    var isToBeStopped: Bool { incidents?.stopReason != nil }

    /// Notes an error of the server.
    ///
    /// The first one counts.
    func fail(_ error: PostgresError) {
        if case .failure = outcome { return }
        outcome = .failure(error)
    }

    /// Notes a result of the server, unless there is an error.
    func succeed(_ rows: Rows) {
        if case .failure = outcome { return }
        outcome = .success(rows)
    }
}

// MARK: Identical requests

extension Request {
    /// Returns true for another execution of the same prepared statement with the same parameters.
    func isIdentical(to other: Request) -> Bool {
        guard case .query(let statement, let parameters) = work, statement.isPrepared,
            case .query(let otherStatement, let otherParameters) = other.work
        else { return false }
        return statement.id == otherStatement.id && parameters == otherParameters
    }

    /// Adds an identical request, whose caller gets the outcome of this one.
    func join(_ other: Request) {
        joined.append(other)
        deadline = max(deadline, other.ownDeadline)
    }

    /// The number of callers.
    var callerCount: Int { 1 + joined.count }
}

// MARK: Callers

extension Request {
    /// True if no caller waits any more.
    var isAbandoned: Bool { wait.isFinished && joined.allSatisfy { $0.wait.isFinished } }

    /// Returns the requests whose callers still wait, although their deadlines have passed: this one, and joined ones.
    func overdue(at now: MonotonicInstant) -> [Request] {
        var overdue = ownDeadline <= now && !wait.isFinished ? [self] : []
        for request in joined where request.ownDeadline <= now && !request.wait.isFinished { overdue.append(request) }
        return overdue
    }

    /// Resumes the request's own caller, unless an earlier call did.
    package func resume(_ outcome: Outcome<Rows>) { wait.finish(outcome) }

    /// Resumes all callers.
    package func finish(_ outcome: Outcome<Rows>) {
        wait.finish(outcome)
        for request in joined { request.wait.finish(outcome) }
    }

    /// Waits for the outcome, also in a cancelled task.
    func value() async throws(PostgresError) -> Rows { try await wait.outcome().get() }

    /// Waits for the outcome.
    ///
    /// If the task is cancelled, `onCancel` decides how the wait ends.
    @inline(__always)
    func value(onCancel: @Sendable () -> Void) async throws(PostgresError) -> Rows {
        try await wait.outcome(onCancel: onCancel).get()
    }
}
