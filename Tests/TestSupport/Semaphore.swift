import Locks

/// A counting semaphore for tests: a fixed number of slots, given out in the order of the requests.
///
/// The time in the queue does not count against a test's `hangLimit`.
public final class Semaphore: Sendable {
    private struct State {
        var free: Int
        var queue: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Locked<State>
    private let what: String

    /// Creates a semaphore.
    ///
    /// - Parameters:
    ///   - slots: The number of callers that hold a slot at the same time.
    ///   - what: The thing that a slot stands for, in reports: "a database".
    public init(slots: Int, for what: String) {
        state = Locked(State(free: slots))
        self.what = what
    }

    /// Waits for a slot and runs `body` in it.
    ///
    /// The wait ignores cancellation. It ends because tests that hold a slot end: they have limits.
    public func withSlot<T>(_ body: () async throws -> T) async rethrows -> T {
        await waiting(inQueueFor: what) { await acquire() }
        defer { release() }
        return try await body()
    }

    private func acquire() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                state.queue.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    private func release() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.queue.isEmpty else { return state.queue.removeFirst() }
            state.free += 1
            return nil
        }
        next?.resume()
    }
}
