import Dispatch
import LibPQ
import Synchronization

/// One thread that waits for the sockets of many connections and moves their conversations along.
///
/// Create one for a program, give it to every connection, and shut it down last. It knows sockets and deadlines and nothing of what
/// is asked. Deadlines are looked at every 50 ms, which is their precision.
public final class Reactor: Sendable {
    /// Something that wants to look at the clock now and then.
    protocol Ticking: AnyObject, Sendable {
        func tick(at now: ContinuousClock.Instant)
    }

    /// Something that owns a socket.
    protocol Handler: Ticking {
        func ready(readable: Bool, writable: Bool)
        func closeNow(_ error: PostgresError)
    }

    private struct State {
        var handlers: [UInt64: any Handler] = [:]
        var woken: [UInt64] = []
        var jobs: [UnownedJob] = []
        var tickers: [UInt64: any Ticking] = [:]
        var nextID: UInt64 = 1
        var isStopping = false
        var hasStopped = false
        var stopWaiters: [Waiter<Void>] = []
    }

    private static let tickMilliseconds: Int32 = 50

    let poller: Poller
    let connecting: BlockingCalls
    /// Apart from the others: a statement that is to be stopped does not wait for a name server.
    let cancelling: BlockingCalls
    private let state = Mutex(State())

    /// Starts the thread.
    ///
    /// - Throws: `closed` when the system gives no descriptors.
    public init(name: String = "postgres") throws(PostgresError) {
        do throws(LibPQError) {
            poller = try Poller()
        } catch {
            throw PostgresError(.closed, "the system refused what a reactor needs", serverMessage: error.message)
        }
        connecting = BlockingCalls(label: "\(name).connect", width: 4)
        cancelling = BlockingCalls(label: "\(name).cancel", width: 2)
        let thread = DispatchQueue(label: "\(name).reactor", qos: .userInteractive)
        thread.async { self.run() }
    }

    /// Stops the thread.
    ///
    /// Close connections and pools first: a connection that is still open is told that it is closed.
    public func shutdown() async {
        let waiter = Waiter<Void>()
        let handlers = self.state.withLock { state in
            state.isStopping = true
            if state.hasStopped { waiter.finish(.success(())) } else { state.stopWaiters.append(waiter) }
            return Array(state.handlers.values)
        }
        for handler in handlers { handler.closeNow(.shutDown) }
        poller.wake()
        // Nobody fails this wait.
        try? await waiter.value()
    }

    // MARK: For connections and pools

    func makeID() -> UInt64 {
        self.state.withLock { state in
            defer { state.nextID += 1 }
            return state.nextID
        }
    }

    /// Looks after a handler until it is removed.
    /// - Returns: false once the reactor is being shut down.
    func add(_ handler: any Handler, id: UInt64) -> Bool {
        self.state.withLock { state in
            if state.isStopping { return false }
            state.handlers[id] = handler
            return true
        }
    }

    func remove(id: UInt64) { state.withLock { _ = $0.handlers.removeValue(forKey: id) } }
    func addTicker(_ ticker: any Ticking, id: UInt64) { state.withLock { $0.tickers[id] = ticker } }
    func removeTicker(id: UInt64) { state.withLock { _ = $0.tickers.removeValue(forKey: id) } }

    /// Whether the calling thread is the reactor's, which looks at everything that waits before it sleeps again.
    var isOwnThread: Bool { poller.isOwnThread }

    /// Makes the thread call `ready` of this handler soon.
    func wake(id: UInt64) {
        let isFirst = self.state.withLock { state in
            if state.woken.contains(id) { return false }
            state.woken.append(id)
            return state.woken.count == 1 && state.jobs.isEmpty
        }
        if isFirst, !isOwnThread { poller.wake() }
    }

    // MARK: The thread

    private func run() {
        var nextTick = ContinuousClock.now
        var jobs: [UnownedJob] = []
        var woken: [UInt64] = []
        var hasMore = false
        while true {
            poller.wait(milliseconds: hasMore ? 0 : Self.tickMilliseconds) { event in
                guard case .ready(let id, let readable, let writable) = event else { return }
                let handler = self.state.withLock { $0.handlers[id] }
                handler?.ready(readable: readable, writable: writable)
            }
            // First whoever has got an answer or has just come, then what they ask: it goes out together.
            self.state.withLock { swap(&$0.jobs, &jobs) }
            for job in jobs { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
            jobs.removeAll(keepingCapacity: true)
            self.state.withLock { swap(&$0.woken, &woken) }
            for id in woken {
                let handler = self.state.withLock { $0.handlers[id] }
                handler?.ready(readable: false, writable: false)
            }
            woken.removeAll(keepingCapacity: true)
            let now = ContinuousClock.now
            if now >= nextTick {
                nextTick = now + .milliseconds(Int(Self.tickMilliseconds))
                let tickers = self.state.withLock { Array($0.tickers.values) + Array($0.handlers.values) }
                for ticker in tickers { ticker.tick(at: now) }
            }
            // Last: from this thread nobody is woken by way of the poller.
            let isDone = self.state.withLock { state in
                hasMore = !state.jobs.isEmpty || !state.woken.isEmpty
                return state.isStopping && state.handlers.isEmpty
            }
            if isDone { break }
        }
        let (waiters, left) = self.state.withLock { state in
            state.hasStopped = true
            defer { state.jobs = [] }
            return (state.stopWaiters, state.jobs)
        }
        for job in left { runElsewhere(job) }
        for waiter in waiters { waiter.finish(.success(())) }
    }
}

/// Tasks that mostly look things up are best run on the reactor's thread itself.
///
/// What they ask in one round goes out in one write, and an answer reaches them without a switch of threads. Only for code that never
/// blocks and computes little between its waits: every connection of the reactor waits for it meanwhile.
///
///     try await withTaskExecutorPreference(reactor) { try await pipeline.query(statement, [id]) }
///
/// A reactor that was shut down runs what is still left of such tasks elsewhere.
extension Reactor: TaskExecutor {
    /// Runs a job in the next round.
    ///
    /// Called by the runtime, from any thread.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let (isFirst, hasStopped) = self.state.withLock { state in
            if state.hasStopped { return (false, true) }
            state.jobs.append(job)
            return (state.jobs.count == 1 && state.woken.isEmpty, false)
        }
        if hasStopped { return runElsewhere(job) }
        if isFirst, !isOwnThread { poller.wake() }
    }

    private func runElsewhere(_ job: UnownedJob) {
        DispatchQueue.global().async { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
