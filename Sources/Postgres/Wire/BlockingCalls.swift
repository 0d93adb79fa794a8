import DequeModule
import Dispatch
import Synchronization

/// Threads for the libpq calls that block: starting a connection (a name server may be slow) and cancelling a statement
/// (libpq before 17 connects, writes and waits in one call).
///
/// Neither may run on the cooperative pool or hold up the reactor. There are a few threads at most, and whichever is free takes the
/// call that waits longest, so that one that hangs delays the others only when all hang.
final class BlockingCalls: Sendable {
    private struct State {
        var busy = 0
        var waiting = Deque<@Sendable () -> Void>()
    }

    private let queue: DispatchQueue
    private let width: Int
    private let state = Mutex(State())

    init(label: String, width: Int) {
        queue = DispatchQueue(label: label, attributes: .concurrent)
        self.width = width
    }

    func run(_ call: @escaping @Sendable () -> Void) {
        let isFree = self.state.withLock { state in
            guard state.busy < width else {
                state.waiting.append(call)
                return false
            }
            state.busy += 1
            return true
        }
        if isFree { queue.async { self.work(call) } }
    }

    private func work(_ first: @Sendable () -> Void) {
        first()
        while let next = self.next() { next() }
    }

    private func next() -> (@Sendable () -> Void)? {
        self.state.withLock { state in
            if let next = state.waiting.popFirst() { return next }
            state.busy -= 1
            return nil
        }
    }
}
