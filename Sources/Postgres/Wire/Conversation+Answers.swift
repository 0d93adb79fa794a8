import DequeModule

/// Answers of the server.
extension Conversation {
    /// Notes a warning of the server that casts a doubt on a commit.
    ///
    /// libpq can deliver a warning when it has parsed the answer behind which the warning came, and before that answer is received. So the
    /// warning can belong to the first unanswered statement or to the one behind it. Both are doubted: a doubt too many is only a question
    /// that the caller asks again.
    package mutating func doubt(_ doubt: CommitUncertainty) {
        for request in unanswered.lazy.compactMap(\.request).prefix(2) {
            request.doubt = max(request.doubt ?? doubt, doubt)
        }
    }

    /// Processes one result of `PQgetResult`.
    package mutating func receive(_ arrival: Arrival) -> Action {
        switch unanswered.first {
        case .query(let request), .copyData(let request): receive(arrival, query: request)
        case .part(let request, let statement): receive(arrival, part: request, statement)
        case .sync(let request): receive(arrival, sync: request, hasFailed: false)
        case .failedSync(let request): receive(arrival, sync: request, hasFailed: true)
        case .prepare(let statement): receive(arrival, preparation: statement)
        case nil: .confused
        }
    }

    private mutating func receive(_ arrival: Arrival, query request: Request) -> Action {
        switch arrival {
        case .answer(let rows): request.succeed(rows)
        case .failure(let error):
            unanswered[0] = .query(request)
            request.fail(error)
        case .aborted: break
        case .endOfResults:
            unanswered.removeFirst()
            return end(request)
        case .copyReady(let rows):
            guard case .copyIn = request.work else { return .confused }
            unanswered[0] = .copyData(request)
            return .copyStarted(request, rows)
        case .sync, .unexpected: return .confused
        }
        return .nothing
    }

    /// Notes the answer to a statement of a transaction, whose outcome comes with that of its COMMIT.
    private mutating func receive(_ arrival: Arrival, part request: Request, _ statement: Statement) -> Action {
        switch arrival {
        case .answer, .aborted: break
        case .failure(let error):
            // The transaction is not sent again: what it adds could be added twice.
            if error.isAboutPreparation { prepared.remove(statement) }
            request.fail(error)
        case .endOfResults: unanswered.removeFirst()
        case .copyReady, .sync, .unexpected: return .confused
        }
        return .nothing
    }

    private mutating func receive(_ arrival: Arrival, sync request: Request?, hasFailed: Bool) -> Action {
        switch arrival {
        case .sync:
            unanswered.removeFirst()
            return request.map { decideOutcome(of: $0) } ?? .nothing
        case .failure(let error):
            // The transaction failed at its end, by a deferred constraint for example.
            request?.fail(error)
            unanswered[0] = .failedSync(request)
            return .nothing
        case .endOfResults where hasFailed:
            unanswered[0] = .sync(request)
            return .nothing
        default:
            return .confused
        }
    }

    private mutating func receive(_ arrival: Arrival, preparation statement: Statement) -> Action {
        switch arrival {
        case .answer: break
        case .failure(let error):
            // The server aborts the statement behind its preparation: that statement gets the error as its own.
            prepared.remove(statement)
            if unanswered.count > 1 { unanswered[1].request?.fail(error) }
        case .aborted: prepared.remove(statement)
        case .endOfResults: unanswered.removeFirst()
        default: return .confused
        }
        return .nothing
    }

    private mutating func end(_ request: Request) -> Action {
        // A statement that is a group of its own is committed at the sync point, and not before.
        if policy == .everyQuery, case .sync = unanswered.first {
            unanswered[0] = .sync(request)
            return .nothing
        }
        return decideOutcome(of: request)
    }

    /// Decides if the callers of a request get its outcome, or if the statement is sent again.
    private mutating func decideOutcome(of request: Request) -> Action {
        switch request.outcome {
        case .success(let rows):
            return finish(request, .success(rows))
        case .failure(let error) where error.isAboutPreparation && request.firstFailure == nil:
            // Another party deallocated the statement (DISCARD ALL, a pooler) or altered its tables: prepare it once more.
            guard case .query(let statement, _) = request.work else { return finish(request, .failure(error)) }
            prepared.remove(statement)
            request.firstFailure = error
            return sendAgain(request)
        case .failure(let error) where error.sqlState == .queryCanceled && wasHitByMistake(request):
            request.firstFailure = error
            return sendAgain(request)
        case .failure(let error) where error.sqlState == .inFailedTransaction:
            // The first failure ended the transaction, so the second attempt could not succeed. Report the first one.
            return finish(request, .failure(request.firstFailure ?? error))
        case .failure(let error):
            return finish(request, .failure(error))
        case nil where policy == .perFlush && request.attempts < Self.window:
            // A neighbor failed. This statement had no effect, and the connection is read-only: it can be sent again.
            return sendAgain(request)
        case nil:
            let error = PostgresError(.protocolViolation, "the statement was not executed", wasSent: true)
            return finish(request, .failure(error))
        }
    }

    private mutating func finish(_ request: Request, _ result: Outcome<Rows>) -> Action {
        if case .failure(let error) = result, error.sqlState == .readOnlyTransaction { wasRefusedWriting = true }
        cancellation.targetAnswered(request)
        if request.isToBeStopped, case .failure(let error) = result, error.sqlState == .queryCanceled,
            let reason = request.stopReason
        {
            return .finish(request, .failure(reason))
        }
        if let doubt = request.doubt, doubt == .standbyMissing || request.isCommit, case .success = result {
            return .finish(request, .failure(.standbyMissing))
        }
        return .finish(request, result)
    }

    private mutating func sendAgain(_ request: Request) -> Action {
        repeats += 1
        request.attempts += 1
        request.outcome = nil
        waiting.prepend(request)
        return .nothing
    }

    /// Returns true if a cancellation that was meant for a neighbor ended this statement, which had no effect and can be sent again.
    ///
    /// Only for a statement that cannot end a transaction by itself, and only outside a transaction: inside one, the failure has
    /// undone more than this statement.
    private func wasHitByMistake(_ request: Request) -> Bool {
        guard case .query(let statement, _) = request.work, policy == .everyQuery else { return false }
        return request.isExposed && request.stopReason == nil && request.firstFailure == nil && statement.isPlain
            && !mayBeInTransaction
    }

    /// Notes that the driver has seen that no transaction is open.
    mutating func isOutsideTransaction() { mayBeInTransaction = false }

    /// Drops all requests after the connection was closed.
    ///
    /// - Returns: The statements that were written, whose effect is unknown, and the statements that were not.
    package mutating func abandon() -> (sent: [Request], unsent: [Request]) {
        let result = (allUnanswered, Array(waiting))
        unanswered = []
        waiting = []
        transaction = nil
        cancellation = .none
        position = .simple
        return result
    }
}
