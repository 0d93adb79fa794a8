import DequeModule
package import LibPQ

/// The order of messages on one connection: which statement is written next, and which statement an answer belongs to.
///
/// A pure state machine. The driver asks ``next()`` for the next message, writes it, and reports each answer to ``receive(_:)``.
/// The state machine touches no socket, no clock and no continuation.
///
/// The position of the sync points decides which statements fail together (libpq manual 34.5.1.3, "Error handling"):
/// - `everyQuery`: each statement is a group of its own. Each is its own transaction, and a failure does not reach a neighbor.
/// - `perFlush`: all statements of one flush are one group. This saves work on both sides. But a failure aborts the statements behind
///   it, which are then sent again, and rolls back the statements before it. This policy is **only for connections that the server
///   holds to be read-only**.
package struct Conversation: ~Copyable {
    /// The rule for sync points.
    package enum SyncPolicy: Sendable {
        /// A sync point after each statement.
        case everyQuery
        /// A sync point at the end of each flush.
        case perFlush
    }

    /// The message to write next, in libpq's terms.
    package enum Step {
        case enterPipeline
        case exitPipeline
        case prepare(Statement, types: [UInt32], name: String)
        case execute(name: String, ParameterBuffer)
        case executeUnnamed(Statement, ParameterBuffer)
        case sync
        case script(String)
    }

    /// A reply of `PQgetResult`.
    package enum Arrival {
        case answer(Rows)
        case copyReady(Rows)
        indirect case failure(PostgresError)
        case aborted
        case sync
        case endOfResults
        /// A result that no request of this module leads to, such as COPY … TO, which the driver would have to read to its end.
        case unexpected
    }

    /// The driver's next action after a result.
    package enum Action {
        case nothing
        /// Resume the callers of the request.
        case finish(Request, Outcome<Rows>)
        /// Resume the caller that started COPY: the server waits for its data.
        case copyStarted(Request, Rows)
        /// Close the connection: the answers do not match the requests.
        case confused
    }

    /// A message that the server has not answered yet.
    private enum Unanswered {
        case prepare(Statement)
        case query(Request)
        /// A COPY for which the server expects data. No other message is unanswered meanwhile.
        case copyData(Request)
        /// A sync point. Once its statement has answered, also that statement, whose transaction ends here.
        case sync(Request?)
        /// A sync point in whose place an error came. That error is a result of its own, which has an end.
        case failedSync(Request?)

        var request: Request? {
            switch self {
            case .prepare: nil
            case .query(let request), .copyData(let request): request
            case .sync(let request), .failedSync(let request): request
            }
        }
    }

    /// The statements written since the last sync point.
    private enum Group {
        /// There is no such statement.
        case empty
        /// Further statements can follow before the sync point.
        case open
        /// The sync point comes next.
        case complete
    }

    /// The place in the protocol at which the next message is written.
    private enum Position {
        /// Outside pipeline mode, where scripts and COPY run.
        case simple
        /// In pipeline mode.
        case pipeline(Group)
        /// In pipeline mode, between the preparation of a statement and its execution.
        case prepared(name: String, ParameterBuffer, Group)
    }

    private let policy: SyncPolicy
    private let usesPreparedStatements: Bool
    private var position = Position.simple
    private var prepared = PreparedStatements()
    private var waiting = Deque<Request>()
    private var unanswered = Deque<Unanswered>()
    private var cancellation = Cancellation.none
    /// True if a message that can open a transaction was written since the driver last saw that no transaction is open.
    private(set) var mayBeInTransaction = false

    /// The number of sync points that were written.
    private(set) var syncs = 0
    /// The number of statements that were sent again.
    private(set) var repeats = 0

    /// The maximum number of messages that are written before their answers are read.
    ///
    /// The window limits the memory that both sides need for buffers.
    static let window = 256

    package init(policy: SyncPolicy, usesPreparedStatements: Bool) {
        self.policy = policy
        self.usesPreparedStatements = usesPreparedStatements
    }

    /// True if no request waits and the server owes no answer.
    var isIdle: Bool { waiting.isEmpty && owesNothing && isAtSyncPoint }
    /// True if the server owes no answer: it answers the next message first.
    var owesNothing: Bool { unanswered.isEmpty }
    var waitingCount: Int { waiting.count }
    /// True if more requests can be enqueued.
    ///
    /// Other requests stay in the inbox, where they can still be joined and are counted.
    var hasRoom: Bool { waiting.count < Self.window }

    /// True while the server waits for COPY data.
    var isCopying: Bool {
        if case .copyData = unanswered.first { true } else { false }
    }

    private var isAtSyncPoint: Bool {
        switch position {
        case .simple, .pipeline(.empty): true
        case .pipeline, .prepared: false
        }
    }

    package mutating func enqueue(_ request: Request) { waiting.append(request) }
}

// MARK: Writing

extension Conversation {
    /// Returns the message to write now.
    ///
    /// The result is `nil` if there is no message, or if answers must arrive first.
    package mutating func next() -> Step? {
        if case .prepared(let name, let parameters, let group) = position {
            position = .pipeline(group)
            return .execute(name: name, parameters)
        }
        // A cancellation on its way stops whatever the server works on when it arrives: it could hit a new statement.
        if cancellation.isTravelling || isCopying { return nil }
        if case .pipeline(.complete) = position { return makeSync() }
        while let request = waiting.first {
            if request.isAbandoned {
                waiting.removeFirst()
                continue
            }
            // A statement that is sent again does not share the group of the statements before it.
            if case .pipeline(.open) = position, request.attempts > 0 { return makeSync() }
            guard let step = step(for: request) else { break }
            return step
        }
        return isAtSyncPoint ? nil : makeSync()
    }

    private mutating func makeSync() -> Step {
        position = .pipeline(.empty)
        unanswered.append(.sync(nil))
        syncs += 1
        return .sync
    }

    private mutating func step(for request: Request) -> Step? {
        switch request.work {
        case .query(let statement, let parameters):
            if case .simple = position {
                // A script can still be running: the pipeline begins after it.
                guard owesNothing else { return nil }
                position = .pipeline(.empty)
                return .enterPipeline
            }
            guard unanswered.count < Self.window else { return nil }
            waiting.removeFirst()
            return write(request, statement, parameters)
        case .script(let sql), .copyIn(let sql):
            guard owesNothing, isAtSyncPoint else { return nil }
            guard case .simple = position else {
                position = .simple
                return .exitPipeline
            }
            waiting.removeFirst()
            unanswered.append(.query(request))
            mayBeInTransaction = true
            return .script(sql)
        }
    }

    private mutating func write(_ request: Request, _ statement: Statement, _ parameters: ParameterBuffer) -> Step {
        // A statement that is sent again has a group of its own, so that no other statement decides how it ends.
        let group: Group = policy == .everyQuery || request.attempts > 0 ? .complete : .open
        position = .pipeline(group)
        if !statement.isPlain { mayBeInTransaction = true }
        guard statement.isPrepared, usesPreparedStatements else {
            unanswered.append(.query(request))
            return .executeUnnamed(statement, parameters)
        }
        if let name = prepared.name(of: statement, parameters) {
            unanswered.append(.query(request))
            return .execute(name: name, parameters)
        }
        guard prepared.hasRoom(for: statement) else {
            unanswered.append(.query(request))
            return .executeUnnamed(statement, parameters)
        }
        let name = prepared.add(statement, parameters)
        unanswered.append(.prepare(statement))
        unanswered.append(.query(request))
        position = .prepared(name: name, parameters, group)
        return .prepare(statement, types: parameters.types, name: name)
    }
}

// MARK: Answers

extension Conversation {
    /// Processes one result of `PQgetResult`.
    package mutating func receive(_ arrival: Arrival) -> Action {
        switch unanswered.first {
        case .query(let request), .copyData(let request): receive(arrival, query: request)
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

    private mutating func receive(_ arrival: Arrival, sync request: Request?, hasFailed: Bool) -> Action {
        switch arrival {
        case .sync:
            unanswered.removeFirst()
            return request.map { settle($0) } ?? .nothing
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
            if unanswered.count > 1, case .query(let request) = unanswered[1] { request.fail(error) }
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
        return settle(request)
    }

    /// Decides if the callers of a request get its outcome, or if the statement is sent again.
    private mutating func settle(_ request: Request) -> Action {
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
        cancellation.targetAnswered(request)
        if let reason = request.stopReason, case .failure(let error) = result, error.sqlState == .queryCanceled {
            return .finish(request, .failure(reason))
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
        cancellation = .none
        position = .simple
        return result
    }
}

// MARK: COPY

extension Conversation {
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
}

// MARK: Deadlines

extension Conversation {
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
    /// With `everyQuery`, without the first statement: that statement is cancelled, and its callers learn how it ended.
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
}

// MARK: Cancellation

extension Conversation {
    /// True while a cancellation is on its way, or was delivered and its statement has not answered.
    var isCancelling: Bool { cancellation.isUnderWay }

    /// True if a caller wants the first unanswered statement stopped and no cancellation is under way.
    var isCancellationDue: Bool { firstUnanswered?.isToBeStopped == true && !isCancelling }

    /// Notes that the driver is about to send a cancellation for the first unanswered statement.
    ///
    /// The cancellation stops whatever the server works on when it arrives, so it can hit every statement that is written now.
    /// Nothing more is written until ``cancellationReturned(at:)``.
    package mutating func beginCancellation() {
        guard let target = firstUnanswered else { return }
        cancellation = .travelling(target)
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
