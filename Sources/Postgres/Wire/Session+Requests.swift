import LibPQ
import Locks
import Synchronization

/// Requests on their way in.
extension Session {
    /// Hands in a request.
    ///
    /// The caller of the request is resumed exactly once. If the request is refused, this call resumes it.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - joining: True if an identical request that is not written yet can answer this one too.
    func submit(_ request: Request, joining: Bool = false) {
        if let refusal = request.refusal { return request.finish(.failure(refusal)) }
        var isFirst = false
        let refusal = inbox.withLock { inbox in
            isFirst = inbox.beginWatch()
            return inbox.add(request, joining: joining)
        }
        if let refusal { return request.finish(.failure(refusal)) }
        if isFirst { reactor.watch(id: id) }
        // The reactor writes the request at the end of this round, with all others of the round.
        if reactor.isOwnThread { return reactor.wake(id: id) }
        let effects = wire.withLockIfAvailable { wire -> Effects? in
            guard case .open(let connection) = wire.phase, wire.conversation.owesNothing else { return nil }
            var effects = Effects()
            advance(connection, &wire, &effects)
            return effects
        }
        if let effects, let effects { return perform(effects) }
        reactor.wake(id: id)
    }

    /// Submits a request and waits for its outcome.
    ///
    /// A cancelled task stops its statement on the server, unless the call is shielded.
    ///
    /// - Parameters:
    ///   - work: The work.
    ///   - deadline: The maximum time, if the task's common deadline is not earlier.
    ///   - isShielded: True if a cancelled task does not stop the statement.
    ///   - least: The time that the statement has although the task's common deadline is earlier. Defaults to none.
    /// - Returns: The rows.
    /// - Throws: The server's error, or the reason that ended the wait.
    func run(
        _ work: Request.Work,
        deadline: Duration,
        isShielded: Bool = false,
        least: Duration = .zero
    ) async throws(PostgresError) -> Rows {
        if !isShielded, Task.isCancelled { throw .taskCancelled }
        let now = MonotonicInstant.now
        let own = now + deadline
        var end = own + patience
        var instant = own
        if let common = PostgresDeadline.current {
            let last = max(common, now + least)
            instant = min(own, last)
            end = min(end, last + Cancellation.patience)
        }
        let request = Request(work, deadline: instant, end: end)
        submit(request)
        if isShielded { return try await request.value() }
        return try await request.value(onCancel: { cancel(request) })
    }

    /// Ends the wait of a caller whose task was cancelled.
    ///
    /// A statement that is not written yet never will be, because this runs under the lock. A statement that the server works on is
    /// stopped there, and its caller waits for its end. A statement that is written behind others is stopped when its turn
    /// comes, and its caller leaves.
    private func cancel(_ request: Request) {
        wire.withLock { wire in
            var error = PostgresError.taskCancelled
            guard wire.conversation.isUnanswered(request) else {
                // The answer is on its way to the caller.
                if request.outcome != nil { return }
                request.resume(.failure(error))
                return
            }
            error.wasSent = true
            if request.stopReason == nil { request.stopReason = error }
            if request === wire.conversation.firstUnanswered {
                stopFirst(&wire)
            } else {
                request.resume(.failure(error))
            }
        }
    }

    /// Moves the requests from the inbox to the conversation.
    ///
    /// While too many wait there, the others stay in the inbox, where their number is limited.
    func takeOver(_ wire: inout Wire) {
        guard wire.conversation.hasRoom else { return }
        inbox.withLock { $0.move(to: &wire.spare) }
        for request in wire.spare { wire.conversation.enqueue(request) }
        wire.spare.removeAll(keepingCapacity: true)
    }
}
