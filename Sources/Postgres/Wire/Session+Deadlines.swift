import LibPQ
import Locks
import Logging

/// Deadlines and cancellations.
extension Session {
    /// Enforces the deadlines.
    ///
    /// The reactor calls this regularly while something is under way.
    ///
    /// - Returns: True if something is still under way. Otherwise the next request makes the reactor call this again.
    func enforceDeadlines(at now: MonotonicInstant) -> Bool {
        var effects = Effects()
        let isBusy = wire.withLock { wire in
            enforceDeadlines(&wire, now, &effects)
            // Requests leave the inbox under this lock only, so one that comes after this question finds the mark removed.
            return wire.isBusy || !inbox.withLock { $0.endWatch() }
        }
        perform(effects)
        return isBusy
    }

    private func enforceDeadlines(_ wire: inout Wire, _ now: MonotonicInstant, _ effects: inout Effects) {
        let late = PostgresError(.deadlineExceeded, "the deadline passed")
        if case .connecting(_, let deadline) = wire.phase, now >= deadline {
            hosts?.wasSilent()
            return close(&wire, PostgresError.cannotConnect("the deadline passed"), &effects)
        }
        if let copying = wire.copying, now >= copying.deadline {
            return close(&wire, late, &effects)
        }
        var sentLate = late
        sentLate.wasSent = true
        for request in inbox.withLock({ $0.removeOverdue(at: now) }) {
            effects.resume(request, late)
        }
        for (request, wasSent) in wire.conversation.overdue(at: now) {
            effects.resume(request, wasSent ? sentLate : late)
        }
        let (unsent, isHeadOverdue) = wire.conversation.expired(at: now)
        for request in unsent { effects.finish(request, .failure(late)) }
        guard !wire.conversation.isCopying, let head = wire.conversation.firstUnanswered else { return }
        wire.conversation.dropIgnoredCancellation(at: now)
        let isCommitting = wire.conversation.isCommitting
        if isCommitting {
            if isHeadOverdue { leaveCommit(head, &wire, &effects) }
        } else if policy == .everyQuery, isHeadOverdue, head.stopReason == nil, !head.hasFailed {
            // Other callers share a look-up connection, so no statement of theirs is cancelled.
            head.stopReason = sentLate
        }
        stopFirst(&wire)
        let isStuck: Bool
        switch policy {
        case .everyQuery:
            isStuck =
                now >= (isCommitting ? head.deadline + Self.commitPatience : head.end ?? head.deadline + patience)
        case .perFlush:
            // The server's statement_timeout ends a slow statement.
            if wire.watchedHead?.request !== head { wire.watchedHead = WatchedHead(request: head, since: now) }
            // A transaction waits for locks, which is no silence.
            let limit = now < patientUntil || head.isLong ? statementLimit : silence
            isStuck = wire.watchedHead.map { now >= $0.since + limit } ?? false
            wire.froze = isStuck
        }
        if isStuck {
            // A look-up gets the error of the connection, with which it is sent again.
            if policy == .everyQuery { effects.finish(head, .failure(sentLate)) }
            close(&wire, PostgresError.lost("the server did not answer in time"), &effects)
        }
    }

    /// Tells the callers of an overdue commit that its outcome is unknown, and lets the server finish it.
    ///
    /// The connection accepts no further statement. It is closed when the server has answered.
    private func leaveCommit(_ head: Request, _ wire: inout Wire, _ effects: inout Effects) {
        guard isUsable else { return }
        for request in inbox.withLock({ $0.close(.lost("the connection waits for a commit")) }) {
            effects.finish(request, .failure(.lost("the connection waits for a commit")))
        }
        effects.resume(head, .commitOverdue)
        wire.isDraining = true
    }

    /// Asks the server to stop the statement that it works on, if a caller wants that and no other cancellation is under way.
    func stopFirst(_ wire: inout Wire) {
        guard wire.conversation.isCancellationDue, let handle = wire.connection?.cancelHandle() else { return }
        wire.conversation.beginCancellation()
        reactor.cancelling.run { [self] in
            // Cancellations of a server that is gone take minutes, and others wait behind them.
            if self.wire.withLock({ $0.isClosed }) { return }
            if !handle.cancel() { logger.warning("a cancellation could not be delivered") }
            self.wire.withLock { wire in
                wire.conversation.cancellationReturned(at: .now)
                stopFirst(&wire)
            }
            reactor.wake(id: id)
        }
    }
}
