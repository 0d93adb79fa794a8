import LibPQ
import Locks
import Logging
import Synchronization

/// The driver of one connection: it performs what ``Conversation`` decides.
///
/// A session has two locks. `inbox` is held for a moment, by a caller that hands in a request. `wire` is held by the thread that writes
/// or reads: the reactor's thread, or a caller that finds the connection idle and writes its own statement. That saves a thread switch
/// when there is nothing to batch. A caller that finds the connection busy leaves its request in the inbox, for the next flush.
final class Session: Sendable {
    /// The states of a connection.
    enum Phase {
        /// The connection is being opened. There is no `ServerConnection` until the names of its hosts are resolved.
        case connecting(ServerConnection?, deadline: MonotonicInstant)
        case open(ServerConnection)
        case closed
    }

    /// The socket that the poller watches, and the events that it waits for.
    struct Watch: Equatable {
        let socket: Int32
        let interest: Poller.Interest
    }

    /// A caller that waits until COPY data has left for the socket.
    struct CopyWait {
        let waiter: Waiter<Void>
        let deadline: MonotonicInstant
    }

    /// A statement that the server works on, and the instant of the first tick that found it so.
    struct WatchedHead {
        let request: Request
        let since: MonotonicInstant
    }

    /// The state that belongs to the thread that writes or reads.
    struct Wire: ~Copyable {
        var phase: Phase
        var conversation: Conversation
        var watch: Watch?
        /// An empty array with capacity, which takes turns with the inbox's.
        var spare: [Request] = []
        /// True after the first LISTEN.
        var isListening = false
        /// The caller that waits until COPY data has left for the socket.
        var copying: CopyWait?
        /// True while a step of the attempt to connect runs on another thread.
        var isPolling = false
        /// True after the end of the connection.
        var isClosed: Bool { if case .closed = phase { true } else { false } }
        /// True after a commit did not answer in time: the connection only waits for that answer.
        var isDraining = false
        /// Called once the connection is closed.
        var onClose: (@Sendable () -> Void)?
        /// True if the connection was closed because the server was silent for too long.
        var froze = false
        /// The statement that the last tick found first.
        var watchedHead: WatchedHead?

        /// True if a deadline can pass: of the attempt to connect, of COPY data, or of a statement that was taken from the inbox.
        var isBusy: Bool {
            switch phase {
            case .connecting: true
            case .open: copying != nil || !conversation.isIdle
            case .closed: false
            }
        }

        /// The connection, open or being opened.
        var connection: ServerConnection? {
            switch phase {
            case .connecting(let connection, _): connection
            case .open(let connection): connection
            case .closed: nil
            }
        }
    }

    /// The maximum time after its deadline in which a statement obeys its cancellation.
    ///
    /// After it, the connection is closed. Within a common deadline, the connection is closed soon after that deadline in any case.
    let patience: Duration

    /// The maximum time after its deadline in which the server finishes a commit.
    ///
    /// A standby that is gone can keep a commit waiting for hours. The server does not notice that a client left meanwhile, so closing the
    /// connection earlier would free nothing. See `CommitGate`.
    static let commitPatience = Duration.seconds(3600)

    let id: UInt64
    let reactor: Reactor
    let logger: Logger
    let policy: Conversation.SyncPolicy
    /// The maximum time that the server works on one look-up before the session counts as frozen.
    let silence: Duration
    /// The instant until which a look-up has the time of a whole statement instead.
    let patientUntil: MonotonicInstant
    /// The maximum time that the server works on one statement, where `statement_timeout` and not this side ends it.
    let statementLimit: Duration
    /// The time in which a session is patient that replaces a frozen one.
    static let patientTime = Duration.seconds(10)
    let inbox = Locked(Inbox())
    let wire: Locked<Wire>
    let notifications: AsyncStream<PostgresNotification>
    let notificationSink: AsyncStream<PostgresNotification>.Continuation
    let onOpen: @Sendable (Outcome<Void>) -> Void
    let doubts = CommitUncertainties()
    /// The number of the session's mark, or 0.
    let markNumber = Atomic<UInt64>(0)
    /// The order of the hosts, if there are several.
    let hosts: HostOrder?

    /// Creates a session and starts to connect.
    ///
    /// Requests can be submitted at once.
    ///
    /// - Parameters:
    ///   - configuration: The server, the database and the role.
    ///   - policy: The rule for sync points.
    ///   - silence: The time without an answer after which a session for look-ups counts as frozen. Defaults to the time of a whole
    ///     statement, and some more.
    ///   - isPatient: True for a session that replaces a frozen one. If a whole server is slow, replacing its sessions again and again
    ///     does not make it faster.
    ///   - reactor: The thread that waits for the socket.
    ///   - logger: Receives the server's notices.
    ///   - onOpen: Called once, on any thread, when the connection is open or has failed.
    init(
        _ configuration: PostgresConfiguration,
        policy: Conversation.SyncPolicy,
        silence: Duration? = nil,
        isPatient: Bool = false,
        reactor: Reactor,
        logger: Logger,
        onOpen: @escaping @Sendable (Outcome<Void>) -> Void
    ) {
        id = reactor.makeHandlerID()
        self.reactor = reactor
        self.logger = logger
        self.policy = policy
        patience = configuration.cancellationPatience
        statementLimit = configuration.queryDeadline + configuration.cancellationPatience
        self.silence = silence ?? statementLimit
        patientUntil = isPatient ? .now + Self.patientTime : .now
        self.onOpen = onOpen
        hosts = HostOrder(configuration.parameters)
        wire = Locked(
            Wire(
                phase: .connecting(nil, deadline: .now + configuration.connectDeadline),
                conversation: Conversation(
                    policy: policy,
                    usesPreparedStatements: configuration.usesPreparedStatements
                )
            )
        )
        (notifications, notificationSink) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1024))
        start(configuration)
    }

    /// True if the connection was closed because the server was silent for too long.
    var froze: Bool { wire.withLock { $0.froze } }

    /// True if statements can still be submitted.
    var isUsable: Bool { inbox.withLock { $0.closedBy == nil } }

    /// True if the connection is open, and the server has kept no look-up waiting for so long that the session counts as frozen.
    ///
    /// An attempt to connect proves nothing about the server, and a patient session is still open when it counts as frozen.
    var isAnswering: Bool {
        wire.withLock { wire in
            guard case .open = wire.phase, isUsable else { return false }
            guard let head = wire.watchedHead, head.request === wire.conversation.firstUnanswered else { return true }
            let limit = head.request.isLong ? statementLimit : silence
            return MonotonicInstant.now < head.since + limit
        }
    }

    /// True if the connection can be lent to another caller: nothing is under way, no transaction is open and nothing is listened to.
    var isClean: Bool {
        guard inbox.withLock({ $0.closedBy == nil && $0.requests.isEmpty }) else { return false }
        return wire.withLock { wire in
            guard case .open(let connection) = wire.phase else { return false }
            return wire.conversation.isIdle && !wire.conversation.isCancelling && !wire.isListening
                && !wire.conversation.wasRefusedWriting
                && connection.isOutsideTransaction
        }
    }

    /// Calls `body` when the connection is closed, if it only waits for the answer to a commit.
    ///
    /// - Returns: False if the connection does not wait for such an answer.
    func whenDrained(_ body: @escaping @Sendable () -> Void) -> Bool {
        wire.withLock { wire in
            guard wire.isDraining, case .open = wire.phase else { return false }
            wire.onClose = body
            return true
        }
    }

    /// The numbers of callers whose statements can still be joined, wait to be written, and are written.
    var backlog: (joinable: Int, waiting: Int, written: Int) {
        wire.withLock { wire in
            let joinable = inbox.withLock { $0.requests.reduce(0) { $0 + $1.callerCount } }
            return (joinable, wire.conversation.waitingCount, wire.conversation.allUnanswered.count)
        }
    }

    /// The counters of this connection.
    var statistics: PostgresPipeline.Statistics {
        wire.withLock { wire in
            var statistics = inbox.withLock(\.statistics)
            statistics.flushes = wire.conversation.syncs
            statistics.repeated = wire.conversation.repeats
            return statistics
        }
    }

    /// Performs what was decided under the locks.
    func perform(_ effects: Effects) { effects.perform(onOpen: onOpen) }
}
