import DequeModule
import Dispatch
import Locks

/// Threads for the libpq calls that block.
///
/// Two calls block: the start of a connection, which can wait for a name server, and the cancellation of a statement. libpq before version
/// 17 connects, writes and waits in that one call. Neither must run on the cooperative pool or on the reactor.
///
/// There are at most `width` threads. A free thread takes the call that waits longest, so a call that hangs delays the others only when all
/// threads hang.
final class BlockingCalls: Sendable {
    private struct State {
        var busy = 0
        var waiting = Deque<@Sendable () -> Void>()
    }

    private let queue: DispatchQueue
    private let width: Int
    private let state = Locked(State())

    init(label: String, width: Int) {
        queue = DispatchQueue(label: label, attributes: .concurrent)
        self.width = width
    }

    func run(_ call: @escaping @Sendable () -> Void) {
        let isFree = state.withLock { state in
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
        state.withLock { state in
            if let next = state.waiting.popFirst() { return next }
            state.busy -= 1
            return nil
        }
    }
}
