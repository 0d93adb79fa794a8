import DequeModule

/// COPY, deadlines and cancellations.
extension Conversation {
    // MARK: COPY

    /// Notes that the COPY data has ended: the results of the COPY come next.
    mutating func endCopy() {
        guard case .copyData(let request) = unanswered.first else { return }
        unanswered[0] = .query(request)
    }

    /// Replaces the request that started the COPY, whose caller has its answer, by the request that ends it.
    mutating func replaceCopy(by request: Request) {
        guard isCopying else {
            request.finish(.failure(PostgresError(.connectionLost, "the connection is closed")))
            return
        }
        unanswered[0] = .copyData(request)
    }

    // MARK: Deadlines

    /// Removes and returns the waiting statements whose deadline has passed.
    ///
    /// - Returns: These statements, and if the deadline of the statement that the server works on has passed, which stays.
    package mutating func expired(at now: MonotonicInstant) -> (unsent: [Request], isHeadOverdue: Bool) {
        var unsent: [Request] = []
        if waiting.contains(where: { $0.deadline <= now || $0.isAbandoned }) {
            var remaining = Deque<Request>()
            for request in waiting {
                if request.deadline <= now {
                    unsent.append(request)
                } else if !request.isAbandoned {
                    remaining.append(request)
                }
            }
            waiting = remaining
        }
        return (unsent, firstUnanswered.map { $0.deadline <= now } ?? false)
    }

    /// Returns the requests whose callers are overdue, each with a Boolean value: true if its statement is written.
    ///
    /// With `everyQuery`, without the first statement: that statement is cancelled, and its callers get its result.
    func overdue(at now: MonotonicInstant) -> [(request: Request, wasSent: Bool)] {
        let first = policy == .everyQuery ? firstUnanswered : nil
        var overdue: [(request: Request, wasSent: Bool)] = []
        for request in waiting { overdue += request.overdue(at: now).map { ($0, request.attempts > 0) } }
        for request in allUnanswered where request !== first {
            overdue += request.overdue(at: now).map { ($0, true) }
        }
        return overdue
    }

    /// Returns true if the statement is written and the server has not answered it.
    func isUnanswered(_ request: Request) -> Bool { allUnanswered.contains { $0 === request } }

    /// The statement that the server works on, as far as the answers show.
    var firstUnanswered: Request? {
        for message in unanswered {
            if let request = message.request { return request }
        }
        return nil
    }

    /// Every written statement that the server has not answered.
    var allUnanswered: [Request] { unanswered.compactMap(\.request) }

    // MARK: Cancellation

    /// True while a cancellation is on its way, or was delivered and its statement has not answered.
    var isCancelling: Bool { cancellation.isUnderWay }

    /// True if a caller wants the first unanswered statement stopped and no cancellation is under way.
    ///
    /// A commit is never cancelled: the server ends a cancelled wait for a standby with success.
    var isCancellationDue: Bool { firstUnanswered?.isToBeStopped == true && !isCancelling && !isCommitting }

    /// True if the server works on a COMMIT, or on the commit of a statement that is its own transaction.
    ///
    /// The server sends the result of such a statement before it commits at the sync point. It commits none that failed.
    package var isCommitting: Bool {
        switch unanswered.first {
        case .sync(let request?): policy == .everyQuery && request.outcome != nil && !request.hasFailed
        case .query(let request): request.isCommit
        default: false
        }
    }

    /// Notes that the driver is about to send a cancellation for the first unanswered statement.
    ///
    /// The cancellation stops whatever the server works on when it arrives, so it can hit every statement that is written now.
    /// Nothing more is written until ``cancellationReturned(at:)``.
    package mutating func beginCancellation() {
        guard let target = firstUnanswered else { return }
        cancellation = .traveling(target)
        for request in allUnanswered { request.isExposed = true }
    }

    /// Notes that the server has passed the cancellation on, or that the cancellation could not be delivered.
    package mutating func cancellationReturned(at now: MonotonicInstant) {
        cancellation.returned(at: now, first: firstUnanswered)
    }

    /// Gives a cancellation up that its statement did not obey in time, so that another one can be sent.
    ///
    /// The server drops a cancellation that arrives between two statements, just before it begins the one that was meant.
    mutating func dropIgnoredCancellation(at now: MonotonicInstant) { cancellation.drop(at: now) }
}
