import Dispatch
import LibPQ
import Locks

/// A thread that waits for the sockets of many connections, and serves them.
///
/// Create one reactor for a program, pass it to every connection, and shut it down last. A program with more processors than one thread
/// can use creates several.
///
/// The reactor checks deadlines every 50 ms. That is the precision of all deadlines.
public final class Reactor: Sendable {
    /// An object that acts when time passes.
    protocol Ticking: AnyObject, Sendable {
        func tick(at now: MonotonicInstant)
    }

    /// An object that owns a socket.
    protocol Handler: AnyObject, Sendable {
        func ready(readable: Bool, writable: Bool)
        /// Enforces the handler's deadlines.
        ///
        /// - Returns: False if nothing is under way that has a deadline. The next call then comes after ``Reactor/watch(id:)``.
        func enforceDeadlines(at now: MonotonicInstant) -> Bool
        func closeNow(_ error: PostgresError)
    }

    /// The stages of a reactor's life.
    private enum Life {
        case running
        /// No handler is added any more. The thread ends with the last handler, and then finishes these waiters.
        case stopping([Waiter<Void>])
        case stopped
    }

    private struct State {
        var life = Life.running
        var handlers = SlotTable<any Handler>()
        /// The handlers that are marked in the table, in the order in which they were woken.
        var woken: [UInt64] = []
        /// The handlers whose deadlines are enforced.
        ///
        /// Numbers are added at the end, and the thread removes them.
        var watched: [UInt64] = []
        var jobs: [UnownedJob] = []
        var tickers: [UInt64: any Ticking] = [:]
        var nextTickerID: UInt64 = 1

        /// True if the thread has work for another round.
        var hasMore: Bool { !jobs.isEmpty || !woken.isEmpty }
    }

    private static let tickMilliseconds: Int32 = 50
    /// The duration of a round from which on the thread was paused, and not busy.
    private static let pause = Duration.milliseconds(250)
    /// The maximum number of rounds after a pause in which sockets are read and no deadline is enforced.
    private static let roundsAfterPause = 8

    let poller: Poller
    /// Threads that start connections, which can wait for a name server.
    let connecting: BlockingCalls
    /// Threads that send cancellations.
    ///
    /// A statement that must be stopped does not wait for a name server.
    let cancelling: BlockingCalls
    private let state = Locked(State())

    /// Starts a reactor.
    ///
    /// - Parameter name: The name that the reactor's threads have in a debugger.
    /// - Throws: `closed` if the system provides no descriptors.
    public init(name: String = "postgres") throws(PostgresError) {
        do throws(LibPQError) {
            poller = try Poller()
        } catch {
            throw PostgresError(.closed, "the system refused what a reactor needs", serverMessage: error.message)
        }
        connecting = BlockingCalls(label: "\(name).connect", width: 4)
        cancelling = BlockingCalls(label: "\(name).cancel", width: 2)
        let thread = DispatchQueue(label: "\(name).reactor", qos: .userInteractive)
        thread.async { [self] in run() }
    }

    /// Stops the reactor, and returns when its thread has ended.
    ///
    /// Close connections and pools first: the callers of a connection that is still open get `closed`. Calling this method again waits
    /// for the same end. A cancelled task waits, too.
    public func shutdown() async {
        let waiter = Waiter<Void>()
        let handlers = state.withLock { state in
            switch state.life {
            case .running: state.life = .stopping([waiter])
            case .stopping(let waiters): state.life = .stopping(waiters + [waiter])
            case .stopped: waiter.finish(.success(()))
            }
            return state.handlers.elements
        }
        for handler in handlers { handler.closeNow(.shutDown) }
        poller.wake()
        // This wait never fails.
        try? await waiter.value()
    }

    // MARK: Handlers

    /// Returns a number for a handler, which ``remove(id:)`` frees.
    func makeHandlerID() -> UInt64 { state.withLock { $0.handlers.reserve() } }

    /// Returns a number for a ticker.
    func makeTickerID() -> UInt64 {
        state.withLock { state in
            defer { state.nextTickerID += 1 }
            return state.nextTickerID
        }
    }

    /// Serves a handler until it is removed, and enforces its deadlines, as ``watch(id:)`` does.
    ///
    /// - Returns: False if the reactor is being shut down.
    func add(_ handler: any Handler, id: UInt64) -> Bool {
        state.withLock { state in
            guard case .running = state.life else { return false }
            state.handlers[id] = handler
            state.watched.append(id)
            return true
        }
    }

    func remove(id: UInt64) { state.withLock { $0.handlers.remove(id) } }
    func addTicker(_ ticker: any Ticking, id: UInt64) { state.withLock { $0.tickers[id] = ticker } }
    func removeTicker(id: UInt64) { state.withLock { _ = $0.tickers.removeValue(forKey: id) } }

    /// Enforces the deadlines of a handler until it says that none is left.
    ///
    /// Most connections of a program with thousands of them are idle, and are not looked at.
    func watch(id: UInt64) { state.withLock { $0.watched.append(id) } }

    /// The number of handlers whose deadlines are enforced.
    package var watchedCount: Int { state.withLock { $0.watched.count } }

    /// True on the reactor's own thread, which serves every woken handler before it sleeps again.
    var isOwnThread: Bool { poller.isOwnThread }

    /// Makes the thread call `ready` of a handler soon.
    func wake(id: UInt64) {
        let isFirst = state.withLock { state in
            guard state.handlers.mark(id) else { return false }
            defer { state.woken.append(id) }
            return !state.hasMore
        }
        if isFirst, !isOwnThread { poller.wake() }
    }

    // MARK: The thread

    private func run() {
        var nextTick = MonotonicInstant.now
        var lastRound = MonotonicInstant.now
        var roundsToCatchUp = 0
        var jobs: [UnownedJob] = []
        var woken: [UInt64] = []
        var hasMore = false
        while true {
            var isQuiet = true
            let isCatchingUp = roundsToCatchUp > 0
            poller.wait(milliseconds: hasMore || isCatchingUp ? 0 : Self.tickMilliseconds) { event in
                isQuiet = false
                guard case .ready(let id, let readable, let writable) = event else { return }
                let handler = state.withLock { $0.handlers[id] }
                handler?.ready(readable: readable, writable: writable)
            }
            // Tasks run before the handlers are served: all statements that they submit leave together.
            state.withLock { swap(&$0.jobs, &jobs) }
            for job in jobs { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
            jobs.removeAll(keepingCapacity: true)
            state.withLock { swap(&$0.woken, &woken) }
            for id in woken {
                let handler = state.withLock { $0.handlers.unmark(id) }
                handler?.ready(readable: false, writable: false)
            }
            woken.removeAll(keepingCapacity: true)
            let now = MonotonicInstant.now
            // After a pause of the process or the machine, answers wait in the sockets that came in time.
            if isCatchingUp {
                roundsToCatchUp = isQuiet ? 0 : roundsToCatchUp - 1
            } else if now - lastRound > Self.pause {
                roundsToCatchUp = Self.roundsAfterPause
            }
            lastRound = now
            if roundsToCatchUp == 0, now >= nextTick {
                nextTick = now + .milliseconds(Int(Self.tickMilliseconds))
                tick(at: now)
            }
            // At the end of the round, because this thread does not wake itself by way of the poller.
            let isDone = state.withLock { state in
                hasMore = state.hasMore
                guard case .stopping = state.life else { return false }
                return state.handlers.isEmpty
            }
            if isDone { break }
        }
        stop()
    }

    private func tick(at now: MonotonicInstant) {
        let (tickers, handlers) = state.withLock { state in
            (Array(state.tickers.values), state.watched.map { (id: $0, handler: state.handlers[$0]) })
        }
        for ticker in tickers { ticker.tick(at: now) }
        let remaining = handlers.filter { $0.handler?.enforceDeadlines(at: now) ?? false }.map { $0.id }
        state.withLock { $0.watched.replaceSubrange(..<handlers.count, with: remaining) }
    }

    private func stop() {
        let (waiters, jobs) = state.withLock { state -> ([Waiter<Void>], [UnownedJob]) in
            defer {
                state.life = .stopped
                state.jobs = []
            }
            guard case .stopping(let waiters) = state.life else { return ([], state.jobs) }
            return (waiters, state.jobs)
        }
        for job in jobs { runElsewhere(job) }
        for waiter in waiters { waiter.finish(.success(())) }
    }
}

/// A reactor runs tasks that prefer it, on its own thread.
///
/// This is the best place for tasks that mostly look things up. All statements that such tasks submit in one round leave in one write, and
/// an answer reaches its task without a thread switch. The code must not block, and must not compute for long between two waits: every
/// connection of the reactor waits for it meanwhile.
///
///     try await withTaskExecutorPreference(reactor) { try await pipeline.query(statement, [id]) }
///
/// After the reactor was shut down, the rest of such tasks runs elsewhere.
extension Reactor: TaskExecutor {
    /// Runs a job in the next round.
    ///
    /// The Swift runtime calls this, from any thread.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let (isFirst, hasStopped) = state.withLock { state in
            if case .stopped = state.life { return (false, true) }
            defer { state.jobs.append(job) }
            return (!state.hasMore, false)
        }
        if hasStopped { return runElsewhere(job) }
        if isFirst, !isOwnThread { poller.wake() }
    }

    private func runElsewhere(_ job: UnownedJob) {
        DispatchQueue.global().async { [self] in unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
