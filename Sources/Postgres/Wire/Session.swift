import LibPQ
import Logging
import Synchronization

/// One connection and everything that is said over it: the driver that performs what `Conversation` decides.
///
/// Two locks. `inbox` is held for a moment, by whoever asks. `wire` is held by whoever writes or reads: the reactor's thread, or a caller
/// that finds the connection idle and writes its own statement, which saves a thread switch where there is nothing to batch. A caller
/// that finds it busy leaves its request in the inbox, where it becomes part of the next flush.
final class Session: Reactor.Handler, Reactor.Ticking, Sendable {
    struct Inbox {
        var requests: [Request] = []
        /// The look-ups among `requests`, for others to join.
        var joinable: [LookUp: Request] = [:]
        var closedBy: PostgresError?
    }

    /// What makes two look-ups the same.
    struct LookUp: Hashable {
        let statement: Int
        let parameters: ParameterBuffer

        /// Prepared statements only: the others have no number that tells them apart.
        init?(_ request: Request) {
            guard case .query(let statement, let parameters) = request.work, statement.isPrepared else { return nil }
            self.statement = statement.id
            self.parameters = parameters
        }
    }

    enum Phase {
        case starting
        case connecting(deadline: ContinuousClock.Instant)
        case open
        case closed
    }

    struct Wire: ~Copyable {
        var phase = Phase.starting
        var connection: ServerConnection?
        var conversation: Conversation
        var watchedSocket: Int32?
        var interest: Poller.Interest = []
        var spare: [Request] = []
        var cancellation: Cancellation?
        /// Whether LISTEN was asked for.
        var isListening = false
        /// Who waits until COPY data has left.
        var copying: (waiter: Waiter<Void>, deadline: ContinuousClock.Instant)?
        /// The statement that the last tick found first, and when it did so for the first time.
        var watchedHead: (request: Request, since: ContinuousClock.Instant)?
    }

    struct Cancellation {
        let target: Request
        /// When the server had passed it on; `nil` while it is on its way.
        var returnedAt: ContinuousClock.Instant?
    }

    /// What is done after the locks are released: resuming a caller under a lock would run other code inside it.
    struct Effects {
        var finished: [(Request, Result<Rows, PostgresError>)] = []
        var overdue: [(waiter: Waiter<Rows>, error: PostgresError)] = []
        var opened: Result<Void, PostgresError>?
        var copyProgress: [(Waiter<Void>, Result<Void, PostgresError>)] = []
    }

    /// How many requests may wait to be written.
    static let inboxBound = 4096
    /// How long a statement may take to obey a cancellation, before that is sent again.
    static let obedience = Duration.milliseconds(250)
    /// How long after its deadline a statement may take to obey its cancellation, before the connection is given up.
    static let patience = Duration.seconds(3)

    let id: UInt64
    let reactor: Reactor
    let logger: Logger
    let policy: Conversation.SyncPolicy
    /// The longest that the server may work on one statement where `statement_timeout` and not this side ends it.
    let statementLimit: Duration
    let inbox = Mutex(Inbox())
    let wire: Mutex<Wire>
    let notifications: AsyncStream<PostgresNotification>
    let notificationSink: AsyncStream<PostgresNotification>.Continuation
    private let onOpen: @Sendable (Result<Void, PostgresError>) -> Void

    /// Starts to connect at once; `onOpen` is called once, on any thread.
    ///
    /// Requests may be submitted before that.
    init(
        _ configuration: PostgresConfiguration,
        policy: Conversation.SyncPolicy,
        reactor: Reactor,
        logger: Logger,
        onOpen: @escaping @Sendable (Result<Void, PostgresError>) -> Void
    ) {
        id = reactor.makeID()
        self.reactor = reactor
        self.logger = logger
        self.policy = policy
        statementLimit = configuration.queryDeadline
        self.onOpen = onOpen
        wire = Mutex(
            Wire(
                conversation: Conversation(
                    policy: policy,
                    usesPreparedStatements: configuration.usesPreparedStatements
                )
            )
        )
        (notifications, notificationSink) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1024))
        start(configuration)
    }

    // MARK: Asking

    /// Hands in a request.
    ///
    /// Its waiters are finished exactly once, here if it cannot be taken.
    func submit(_ request: Request, joining: Bool = false) {
        if let refusal = request.refusal { return request.finish(.failure(refusal)) }
        let refusal = self.inbox.withLock { inbox -> PostgresError? in
            if let error = inbox.closedBy { return error }
            let lookUp = joining ? LookUp(request) : nil
            if let lookUp, let other = inbox.joinable[lookUp] {
                other.join(request)
                return nil
            }
            if inbox.requests.count >= Self.inboxBound {
                return PostgresError(.queueFull, "too many statements wait for this connection")
            }
            if let lookUp { inbox.joinable[lookUp] = request }
            inbox.requests.append(request)
            return nil
        }
        if let refusal { return request.finish(.failure(refusal)) }
        // There it is written at the end of this round, with all that others ask in it.
        if reactor.isOwnThread { return reactor.wake(id: id) }
        let effects = self.wire.withLockIfAvailable { wire -> Effects? in
            guard case .open = wire.phase, wire.conversation.owesNothing else { return nil }
            var effects = Effects()
            advance(&wire, &effects)
            return effects
        }
        if let effects, let effects { return perform(effects) }
        reactor.wake(id: id)
    }

    /// Asks and waits.
    ///
    /// A cancelled task stops its statement on the server, unless the call is shielded.
    func run(_ work: Request.Work, deadline: Duration, isShielded: Bool = false) async throws(PostgresError) -> Rows {
        if !isShielded, Task.isCancelled { throw .taskCancelled }
        let waiter = Waiter<Rows>()
        submit(Request(work, deadline: .now + deadline, waiter: waiter))
        if isShielded { return try await waiter.value() }
        return try await waiter.value(onCancel: { cancel(waiter) })
    }

    /// Ends the wait of a caller whose task was cancelled.
    ///
    /// Under the lock, so that a statement that is not written yet never will be. One that the server works on is stopped there, and
    /// its caller waits to learn how it ended. One that is written behind others is stopped when its turn comes, and its caller leaves.
    private func cancel(_ waiter: Waiter<Rows>) {
        self.wire.withLock { wire in
            var error = PostgresError.taskCancelled
            guard let request = wire.conversation.written(for: waiter) else {
                waiter.finish(.failure(error))
                return
            }
            error.wasSent = true
            if request.stopReason == nil { request.stopReason = error }
            if request === wire.conversation.firstAwaited {
                stopFirst(&wire)
            } else {
                waiter.finish(.failure(error))
            }
        }
    }

    /// Whether statements can still be asked.
    var isUsable: Bool { inbox.withLock { $0.closedBy == nil } }

    /// Whether nothing is under way, no transaction is open, nothing is listened to and statements can be asked.
    var isClean: Bool {
        guard inbox.withLock({ $0.closedBy == nil && $0.requests.isEmpty }) else { return false }
        return self.wire.withLock { wire in
            guard case .open = wire.phase, let connection = wire.connection else { return false }
            return wire.conversation.isIdle && wire.cancellation == nil && !wire.isListening
                && connection.isOutsideTransaction
        }
    }

    /// How many callers wait for statements that can still be joined, that wait to be written, and that are written.
    var backlog: (joinable: Int, waiting: Int, written: Int) {
        self.wire.withLock { wire in
            let joinable = inbox.withLock { $0.requests.reduce(0) { $0 + $1.callerCount } }
            return (joinable, wire.conversation.waitingCount, wire.conversation.allAwaited.count)
        }
    }

    // MARK: Moving along

    func ready(readable: Bool, writable: Bool) {
        var effects = Effects()
        self.wire.withLock { wire in
            switch wire.phase {
            case .connecting where readable || writable: pollConnecting(&wire, &effects)
            case .open:
                if readable { read(&wire, &effects) }
                advance(&wire, &effects)
            case .starting, .connecting, .closed: break
            }
        }
        perform(effects)
    }

    func perform(_ effects: Effects) {
        for (request, outcome) in effects.finished { request.finish(outcome) }
        for (waiter, error) in effects.overdue { waiter.finish(.failure(error)) }
        for (waiter, outcome) in effects.copyProgress { waiter.finish(outcome) }
        if let opened = effects.opened { onOpen(opened) }
    }

    /// Reads what has arrived.
    ///
    /// A connection that broke may still hold the server's last words, so results are taken before it is given up.
    private func read(_ wire: inout Wire, _ effects: inout Effects) {
        guard let connection = wire.connection else { return }
        do throws(LibPQError) {
            try connection.consumeInput()
        } catch {
            takeResults(&wire, &effects)
            return close(&wire, PostgresError.lost(error.message), &effects)
        }
        takeResults(&wire, &effects)
    }

    /// Takes the requests over from the inbox; when too many wait already they stay there, where their number is bounded.
    private func takeOver(_ wire: inout Wire) {
        guard wire.conversation.hasRoom else { return }
        self.inbox.withLock { inbox in
            guard !inbox.requests.isEmpty else { return }
            swap(&inbox.requests, &wire.spare)
            inbox.joinable.removeAll(keepingCapacity: true)
        }
        for request in wire.spare { wire.conversation.enqueue(request) }
        wire.spare.removeAll(keepingCapacity: true)
    }

    /// Writes what may be written and takes what was answered meanwhile.
    func advance(_ wire: inout Wire, _ effects: inout Effects) {
        guard let connection = wire.connection else { return }
        if wire.conversation.mayBeInTransaction, wire.conversation.owesNothing, connection.isOutsideTransaction {
            wire.conversation.isOutsideTransaction()
        }
        do throws(LibPQError) {
            repeat {
                takeOver(&wire)
                while let step = wire.conversation.next() { try Self.perform(step, on: connection) }
                // Otherwise an answer will bring the next round.
            } while wire.conversation.isIdle && inbox.withLock { !$0.requests.isEmpty }
            let isFlushed = try connection.flush()
            watch(&wire, isFlushed ? .read : [.read, .write])
            if isFlushed, let copying = wire.copying {
                wire.copying = nil
                effects.copyProgress.append((copying.waiter, .success(())))
            }
            // libpq reads while it cannot write, so an answer may be here without the socket saying so again.
            if !isFlushed { takeResults(&wire, &effects) }
        } catch {
            takeResults(&wire, &effects)
            close(&wire, PostgresError.lost(error.message), &effects)
        }
    }

    private static func perform(_ step: Conversation.Step, on connection: ServerConnection) throws(LibPQError) {
        switch step {
        case .enterPipeline: try connection.enterPipelineMode()
        case .exitPipeline: try connection.exitPipelineMode()
        case .prepare(let statement, let types, let name):
            try connection.sendPrepare(name: name, sql: statement.sql, types: types)
        case .execute(let name, let parameters):
            try connection.sendQueryPrepared(name: name, parameters: parameters)
        case .executeUnnamed(let statement, let parameters):
            try connection.sendQuery(sql: statement.sql, parameters: parameters)
        case .sync: try connection.pipelineSync()
        case .script(let sql): try connection.sendScript(sql)
        }
    }

    private func takeResults(_ wire: inout Wire, _ effects: inout Effects) {
        guard let connection = wire.connection else { return }
        while !wire.conversation.owesNothing, !wire.conversation.isCopying, !connection.isBusy {
            let outcome = wire.conversation.receive(Self.arrival(connection.nextResult()))
            switch outcome {
            case .nothing: break
            case .finish(let request, let result): finish(request, result, &wire, &effects)
            case .copyStarted(let request, let rows): effects.finished.append((request, .success(rows)))
            case .confused:
                let error =
                    connection.isBad
                    ? PostgresError.lost(connection.errorMessage)
                    : PostgresError(.protocolViolation, "the server's answers do not fit what was asked")
                return close(&wire, error, &effects)
            }
        }
        stopFirst(&wire)
        // Last, because what arrived behind an answer is only found once that answer has been taken.
        while let notification = connection.nextNotification() {
            notificationSink.yield(
                PostgresNotification(
                    channel: notification.channel,
                    payload: notification.payload,
                    process: notification.process
                )
            )
        }
    }

    private static func arrival(_ result: ServerResult?) -> Conversation.Arrival<Rows> {
        guard let result else { return .endOfResults }
        switch result.status {
        case .rows, .commandOK, .empty: return .answer(Rows(result))
        case .copyIn: return .copyReady(Rows(result))
        case .pipelineSync: return .sync
        case .pipelineAborted: return .aborted
        case .error: return .failure(PostgresError(result))
        case .unexpected: return .unexpected
        }
    }

    private func finish(
        _ request: Request,
        _ result: Result<Rows, PostgresError>,
        _ wire: inout Wire,
        _ effects: inout Effects
    ) {
        var result = result
        if let reason = request.stopReason, case .failure(let error) = result, error.sqlState == .queryCanceled {
            result = .failure(reason)
        }
        if let cancellation = wire.cancellation, cancellation.target === request, cancellation.returnedAt != nil {
            wire.cancellation = nil
        }
        effects.finished.append((request, result))
    }

    // MARK: Watching

    /// Tells the poller what to wait for.
    ///
    /// `isCertain` is false while connecting: libpq may then have closed the socket and opened another of the same number.
    func watch(_ wire: inout Wire, _ interest: Poller.Interest, isCertain: Bool = true) {
        guard let connection = wire.connection else { return }
        let socket = connection.socket
        if isCertain, wire.watchedSocket == socket, wire.interest == interest { return }
        // An earlier socket needs no call: libpq has closed it, so it is no longer watched, and its number may be another session's.
        let isNew = wire.watchedSocket != socket
        do throws(LibPQError) {
            try reactor.poller.watch(socket: socket, id: id, interest: interest, isNew: isNew)
            wire.watchedSocket = socket
            wire.interest = interest
        } catch {
            // libpq may have opened a new socket under the old number, which epoll then does not know.
            do throws(LibPQError) {
                try reactor.poller.watch(socket: socket, id: id, interest: interest, isNew: !isNew)
                wire.watchedSocket = socket
                wire.interest = interest
            } catch {
                logger.error("a socket cannot be watched", metadata: ["error": "\(error.message)"])
            }
        }
    }
}

/// One NOTIFY of another session.
public struct PostgresNotification: Sendable, Hashable {
    /// The channel.
    public let channel: String
    /// What came with it; empty when nothing did.
    public let payload: String
    /// The server process that sent it.
    public let process: Int32
}

extension PostgresError {
    static let taskCancelled = PostgresError(.cancelled, "the task was cancelled")

    static func lost(_ message: String) -> PostgresError {
        PostgresError(.connectionLost, "the connection to the server broke", serverMessage: message)
    }
}
