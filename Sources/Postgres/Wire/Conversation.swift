import DequeModule
package import LibPQ

/// What is to be said to a server and what it still owes an answer for: a pure state machine.
///
/// The driver asks `next` what to write and reports what arrived; nothing here touches a socket, a clock or a continuation.
///
/// Where the sync points go decides who shares whose fate (libpq manual 34.5.1.3, "Error handling"):
/// - `everyQuery`: each statement ends its own group, so each is its own transaction and no failure reaches a neighbour.
/// - `perFlush`: all statements of one flush share a group. That saves a round of work per statement on both sides, but a failure aborts
///   what comes after it in the group, so those are sent again, and rolls back what came before it, so it is **only for connections
///   that the server holds to be read-only**.
package struct Conversation: ~Copyable {
    package enum SyncPolicy: Sendable {
        case everyQuery
        case perFlush
    }

    /// What to write next, in libpq's terms.
    package enum Step {
        case enterPipeline
        case exitPipeline
        case prepare(Statement, types: [UInt32], name: String)
        case execute(name: String, ParameterBuffer)
        case executeUnnamed(Statement, ParameterBuffer)
        case sync
        case script(String)
    }

    /// What `PQgetResult` answered.
    package enum Arrival<Answer> {
        case answer(Answer)
        case copyReady(Answer)
        case failure(PostgresError)
        case aborted
        case sync
        case endOfResults
        /// Of a kind that is never asked for, such as COPY … TO, which would have to be read to its end.
        case unexpected
    }

    /// What the driver shall do about it.
    package enum Outcome {
        case nothing
        case finish(Request, Result<Rows, PostgresError>)
        /// The server waits for COPY data of this request.
        case copyStarted(Request, Rows)
        /// The answers do not fit the questions: give the connection up.
        case confused
    }

    private enum Awaited {
        case prepare(Statement)
        case query(Request)
        /// A sync point, and the statement whose own transaction ends with it, once that has answered.
        case sync(Request?)

        var request: Request? {
            switch self {
            case .prepare: nil
            case .query(let request): request
            case .sync(let request): request
            }
        }
    }

    private enum Mode { case simple, pipeline }

    private let policy: SyncPolicy
    private let usesPreparedStatements: Bool
    private var mode = Mode.simple
    private var prepared = PreparedStatements()
    private var waiting = Deque<Request>()
    private var awaited = Deque<Awaited>()
    private var syncIsDue = false
    /// Set by `next` between the steps of one statement.
    private var following: Step?
    private(set) var isCopying = false
    /// Set by an error that came in place of a sync point: such an error is a result of its own, with an end.
    private var endIsDue = false
    /// Set when the statement sent last was sent a second time: it gets a group of its own, so that it fails or succeeds by itself.
    private var isRepeating = false
    /// Whether something was sent that can open a transaction, since the driver last saw that none is open.
    private(set) var mayBeInTransaction = false
    /// While a cancellation is on its way, nothing new is sent: it could hit the wrong statement.
    package var isHeld = false

    /// The most statements that are written before their answers are read.
    ///
    /// It bounds what both sides must buffer.
    static let window = 256

    package init(policy: SyncPolicy, usesPreparedStatements: Bool) {
        self.policy = policy
        self.usesPreparedStatements = usesPreparedStatements
    }

    /// Nothing waits and nothing is owed.
    var isIdle: Bool { waiting.isEmpty && awaited.isEmpty && !syncIsDue }
    /// Nothing is owed: what is written now is answered next.
    var owesNothing: Bool { awaited.isEmpty }
    var waitingCount: Int { waiting.count }
    /// Whether more requests may be taken over; the others wait where they can still be joined and counted.
    var hasRoom: Bool { waiting.count < Self.window }

    package mutating func enqueue(_ request: Request) { waiting.append(request) }

    /// What to write now; `nil` when there is nothing, or when answers must come first.
    package mutating func next() -> Step? {
        if let step = following {
            following = nil
            return step
        }
        if isHeld || isCopying { return nil }
        // A sync that is due after each statement goes out before the next one.
        if syncIsDue, policy == .everyQuery || isRepeating { return makeSync() }
        while let request = waiting.first {
            if request.isAbandoned {
                waiting.removeFirst()
                continue
            }
            // A statement that goes again does not share the group of those before it.
            if syncIsDue, request.attempts > 0 { return makeSync() }
            guard let step = self.step(for: request) else { break }
            return step
        }
        return syncIsDue ? makeSync() : nil
    }

    private mutating func makeSync() -> Step {
        syncIsDue = false
        isRepeating = false
        awaited.append(.sync(nil))
        return .sync
    }

    private mutating func step(for request: Request) -> Step? {
        switch request.work {
        case .query(let statement, let parameters):
            if mode == .simple {
                // A script may still be running: the pipeline begins after it.
                guard awaited.isEmpty else { return nil }
                mode = .pipeline
                return .enterPipeline
            }
            guard awaited.count < Self.window else { return nil }
            waiting.removeFirst()
            return send(request, statement, parameters)
        case .script(let sql), .copyIn(let sql):
            guard awaited.isEmpty, !syncIsDue else { return nil }
            if mode == .pipeline {
                mode = .simple
                return .exitPipeline
            }
            waiting.removeFirst()
            awaited.append(.query(request))
            mayBeInTransaction = true
            return .script(sql)
        }
    }

    private mutating func send(_ request: Request, _ statement: Statement, _ parameters: ParameterBuffer) -> Step {
        syncIsDue = true
        isRepeating = request.attempts > 0
        if !statement.isPlain { mayBeInTransaction = true }
        guard statement.isPrepared, usesPreparedStatements else {
            awaited.append(.query(request))
            return .executeUnnamed(statement, parameters)
        }
        if let name = prepared.name(of: statement, types: parameters.types) {
            awaited.append(.query(request))
            return .execute(name: name, parameters)
        }
        guard prepared.hasRoom(for: statement) else {
            awaited.append(.query(request))
            return .executeUnnamed(statement, parameters)
        }
        let name = prepared.add(statement, types: parameters.types)
        awaited.append(.prepare(statement))
        awaited.append(.query(request))
        following = .execute(name: name, parameters)
        return .prepare(statement, types: parameters.types, name: name)
    }

    /// Takes in one result of `PQgetResult`.
    package mutating func receive(_ arrival: Arrival<Rows>) -> Outcome {
        switch (awaited.first, arrival) {
        case (.query(let request), .answer(let rows)):
            request.succeed(rows)
            return .nothing
        case (.query(let request), .endOfResults):
            awaited.removeFirst()
            return end(request)
        case (.sync(let request), .sync):
            awaited.removeFirst()
            endIsDue = false
            return request.map { settle($0) } ?? .nothing
        case (.sync(let request), .failure(let error)):
            // The transaction failed as it ended: a deferred constraint, say.
            request?.fail(error)
            endIsDue = true
            return .nothing
        case (.sync, .endOfResults) where endIsDue:
            endIsDue = false
            return .nothing
        case (.query(let request), .failure(let error)):
            isCopying = false
            request.fail(error)
            return .nothing
        case (.query, .aborted):
            return .nothing
        case (.query(let request), .copyReady(let rows)):
            guard case .copyIn = request.work else { return .confused }
            isCopying = true
            return .copyStarted(request, rows)
        case (.prepare, .answer):
            return .nothing
        case (.prepare(let statement), .failure(let error)):
            // The statement after it is aborted with it: it gets this error as its own.
            prepared.remove(statement)
            if awaited.count > 1, case .query(let request) = awaited[1] { request.fail(error) }
            return .nothing
        case (.prepare(let statement), .aborted):
            prepared.remove(statement)
            return .nothing
        case (.prepare, .endOfResults):
            awaited.removeFirst()
            return .nothing
        default:
            return .confused
        }
    }

    private mutating func end(_ request: Request) -> Outcome {
        // A statement that has a group of its own is committed at the sync point, and not before.
        if policy == .everyQuery, case .sync = awaited.first {
            awaited[0] = .sync(request)
            return .nothing
        }
        return settle(request)
    }

    private mutating func settle(_ request: Request) -> Outcome {
        switch request.outcome {
        case .success(let rows):
            return .finish(request, .success(rows))
        case .failure(let error) where error.isAboutPreparation && request.firstFailure == nil:
            // Somebody deallocated it (DISCARD ALL, a pooler) or altered its tables: prepare it anew, once.
            guard case .query(let statement, _) = request.work else { return .finish(request, .failure(error)) }
            prepared.remove(statement)
            request.firstFailure = error
            sendAgain(request)
            return .nothing
        case .failure(let error) where error.sqlState == .queryCanceled && wasHitByMistake(request):
            request.firstFailure = error
            sendAgain(request)
            return .nothing
        case .failure(let error) where error.sqlState == .inFailedTransaction:
            // Going again was in vain, because the first failure ended the transaction: that is the one to tell.
            return .finish(request, .failure(request.firstFailure ?? error))
        case .failure(let error):
            return .finish(request, .failure(error))
        case nil where policy == .perFlush && request.attempts < Self.window:
            // A neighbour failed. Nothing of this one took effect, and the connection is read-only: it simply goes again.
            sendAgain(request)
            return .nothing
        case nil:
            let error = PostgresError(.protocolViolation, "the statement was not executed", wasSent: true)
            return .finish(request, .failure(error))
        }
    }

    /// Whether a cancellation that was meant for a neighbour ended this statement, which then did nothing and may go again.
    ///
    /// Only what cannot end a transaction by itself, and only outside of one: there the failure has undone more than this statement.
    private func wasHitByMistake(_ request: Request) -> Bool {
        guard case .query(let statement, _) = request.work, policy == .everyQuery else { return false }
        return request.isExposed && request.stopReason == nil && request.firstFailure == nil && statement.isPlain
            && !mayBeInTransaction
    }

    /// A cancellation is about to be sent: it stops whatever the server works on when it arrives.
    mutating func expose() {
        isHeld = true
        for request in allAwaited { request.isExposed = true }
    }

    /// The driver has seen that no transaction is open.
    mutating func isOutsideTransaction() { mayBeInTransaction = false }

    private mutating func sendAgain(_ request: Request) {
        request.attempts += 1
        request.outcome = nil
        waiting.prepend(request)
    }

    /// COPY data has ended; the results of the COPY come next.
    mutating func endCopy() { isCopying = false }

    /// The caller that started a COPY has its answer; the one that ends it takes its place.
    mutating func replaceCopyWaiter(_ waiter: Waiter<Rows>, deadline: ContinuousClock.Instant) {
        guard case .query(let request) = awaited.first else {
            waiter.finish(.failure(PostgresError(.connectionLost, "the connection is closed")))
            return
        }
        awaited[0] = .query(Request(request.work, deadline: deadline, waiter: waiter))
    }

    /// Statements whose deadline has passed: the waiting ones leave, the one being answered is only named.
    package mutating func expired(at now: ContinuousClock.Instant) -> (unsent: [Request], isHeadOverdue: Bool) {
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
        return (unsent, firstAwaited.map { $0.deadline <= now } ?? false)
    }

    /// Who of those that wait has run out of time, and whether their statement is written.
    ///
    /// With `everyQuery`, not the first statement's caller: that statement is cancelled, and its caller learns how it ended.
    func overdue(at now: ContinuousClock.Instant) -> [(waiter: Waiter<Rows>, wasSent: Bool)] {
        let first = policy == .everyQuery ? firstAwaited : nil
        var overdue: [(waiter: Waiter<Rows>, wasSent: Bool)] = []
        for request in waiting { overdue += request.overdue(at: now).map { ($0, request.attempts > 0) } }
        for request in allAwaited where request !== first {
            overdue += request.overdue(at: now).map { ($0, true) }
        }
        return overdue
    }

    /// The written statement that this caller waits for.
    func written(for waiter: Waiter<Rows>) -> Request? { allAwaited.first { $0.waiter === waiter } }

    /// The statement that the server is working on, as far as we know.
    var firstAwaited: Request? {
        for entry in awaited {
            if let request = entry.request { return request }
        }
        return nil
    }

    /// Every written statement that still waits for its answer.
    var allAwaited: [Request] {
        awaited.compactMap(\.request)
    }

    /// The connection is gone: what was written, whose fate is unknown, and what was not.
    package mutating func abandon() -> (sent: [Request], unsent: [Request]) {
        let result = (allAwaited, Array(waiting))
        awaited = []
        waiting = []
        isCopying = false
        following = nil
        return result
    }
}
