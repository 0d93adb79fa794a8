import Locks

/// A count of operations under way, and the tasks that wait until none is left.
final class WaitGroup: Sendable {
    private struct State {
        var count: Int
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Locked<State>

    /// Creates a group.
    ///
    /// - Parameter count: The number of operations that are under way from the beginning.
    init(_ count: Int = 0) { state = Locked(State(count: count)) }

    /// Notes that an operation begins.
    func begin() { state.withLock { $0.count += 1 } }

    /// Notes that an operation has ended.
    func end() {
        let waiters = state.withLock { state in
            state.count -= 1
            guard state.count == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until no operation is under way.
    ///
    /// A cancelled task waits too.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                if state.count > 0 { state.waiters.append(continuation) }
                return state.count == 0
            }
            if isDone { continuation.resume() }
        }
    }
}
