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
            self.poller = try Poller()
        } catch {
            throw PostgresError(.closed, "the system refused what a reactor needs", serverMessage: error.message)
        }
        self.connecting = BlockingCalls(label: "\(name).connect", width: 4)
        self.cancelling = BlockingCalls(label: "\(name).cancel", width: 2)
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
        self.poller.wake()
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

    func remove(id: UInt64) { self.state.withLock { _ = $0.handlers.removeValue(forKey: id) } }
    func addTicker(_ ticker: any Ticking, id: UInt64) { self.state.withLock { $0.tickers[id] = ticker } }
    func removeTicker(id: UInt64) { self.state.withLock { _ = $0.tickers.removeValue(forKey: id) } }

    /// Makes the thread call `ready` of this handler soon.
    func wake(id: UInt64) {
        let isFirst = self.state.withLock { state in
            state.woken.append(id)
            return state.woken.count == 1
        }
        if isFirst { self.poller.wake() }
    }

    // MARK: The thread

    private func run() {
        var nextTick = ContinuousClock.now
        while true {
            self.poller.wait(milliseconds: Self.tickMilliseconds) { event in
                switch event {
                case .woken:
                    let handlers = self.state.withLock { state in
                        defer { state.woken.removeAll(keepingCapacity: true) }
                        return state.woken.compactMap { state.handlers[$0] }
                    }
                    for handler in handlers { handler.ready(readable: false, writable: false) }
                case .ready(let id, let readable, let writable):
                    let handler = self.state.withLock { $0.handlers[id] }
                    handler?.ready(readable: readable, writable: writable)
                }
            }
            let now = ContinuousClock.now
            if now >= nextTick {
                nextTick = now + .milliseconds(Int(Self.tickMilliseconds))
                let tickers = self.state.withLock { Array($0.tickers.values) + Array($0.handlers.values) }
                for ticker in tickers { ticker.tick(at: now) }
            }
            if self.state.withLock({ $0.isStopping && $0.handlers.isEmpty }) { break }
        }
        let waiters = self.state.withLock { state in
            state.hasStopped = true
            return state.stopWaiters
        }
        for waiter in waiters { waiter.finish(.success(())) }
    }
}
