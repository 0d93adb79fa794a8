import Locks

/// A wait that another task can end.
final class Alarm: Sendable {
    private struct State {
        var isRung = false
        var waiter: CheckedContinuation<Void, Never>?
        /// The number of the wait, so that the timer of an earlier wait ends no later one.
        var number: UInt64 = 0
    }

    private let state = Locked(State())
    private let executor: any TaskExecutor

    /// Creates an alarm.
    ///
    /// - Parameter executor: The thread of the task that waits, which begins the timers, too.
    init(on executor: any TaskExecutor) { self.executor = executor }

    /// Ends the wait, or the next one if no task waits.
    func ring() { finish(nil) }

    /// Forgets that somebody rang while no task waited.
    func reset() { state.withLock { $0.isRung = false } }

    /// Waits until somebody rings, or for a duration.
    ///
    /// One task waits at a time.
    func wait(atMost duration: Duration) async {
        guard duration > .zero else { return }
        let number = state.withLock { state in
            state.number += 1
            return state.number
        }
        let timer = Task(executorPreference: executor) { [self] in
            try? await Task.sleep(for: duration)
            finish(number)
        }
        defer {
            // A cancelled timer must not ring for the next wait.
            state.withLock { $0.number += 1 }
            timer.cancel()
        }
        await withCheckedContinuation { continuation in
            let isRung = state.withLock { state in
                guard !state.isRung else {
                    state.isRung = false
                    return true
                }
                state.waiter = continuation
                return false
            }
            if isRung { continuation.resume() }
        }
    }

    private func finish(_ number: UInt64?) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if let number, number != state.number { return nil }
            defer { state.waiter = nil }
            // A timer that comes before its wait must end that wait, too.
            if state.waiter == nil { state.isRung = true }
            return state.waiter
        }
        waiter?.resume()
    }
}
