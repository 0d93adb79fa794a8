import Synchronization

/// A caller that waits for an outcome.
///
/// The caller is resumed exactly once, by the first of the events that can end its wait: the answer, the deadline or a cancellation.
package final class Waiter<Value: Sendable>: Sendable {
    @safe
    private enum State {
        case idle
        case waiting(UnsafeContinuation<Outcome<Value>, Never>)
        case finished(Outcome<Value>)
        case resumed
    }

    private let state = Mutex(State.idle)

    package init() {}

    /// Resumes the caller, unless an earlier call did.
    ///
    /// - Returns: True if this call decided the outcome.
    @discardableResult
    package func finish(_ outcome: Outcome<Value>) -> Bool {
        let continuation: UnsafeContinuation<Outcome<Value>, Never>?
        let isFirst: Bool
        unsafe (continuation, isFirst) = self.state.withLock { state in
            switch state {
            case .idle:
                state = .finished(outcome)
                return (nil, true)
            case .waiting(let continuation):
                state = .resumed
                return unsafe (continuation, true)
            case .finished, .resumed: return (nil, false)
            }
        }
        if let continuation = unsafe continuation { unsafe continuation.resume(returning: outcome) }
        return isFirst
    }

    /// True if the outcome is decided.
    var isFinished: Bool {
        self.state.withLock { state in
            switch state {
            case .idle, .waiting: false
            case .finished, .resumed: true
            }
        }
    }

    /// Waits for the outcome.
    ///
    /// A waiter allows one wait. The continuation is an unsafe one, because this runs for every statement. The state above ensures what a
    /// checked one checks.
    private func outcome() async -> Outcome<Value> {
        await unsafe withUnsafeContinuation { (continuation: UnsafeContinuation<Outcome<Value>, Never>) in
            let early = self.state.withLock { state -> Outcome<Value>? in
                if case .finished(let outcome) = state {
                    state = .resumed
                    return outcome
                }
                unsafe state = .waiting(continuation)
                return nil
            }
            if let early { unsafe continuation.resume(returning: early) }
        }
    }

    /// Waits for the outcome, also in a cancelled task.
    ///
    /// A waiter allows one wait.
    func value() async throws(PostgresError) -> Value {
        try await outcome().get()
    }

    /// Waits for the outcome.
    ///
    /// A waiter allows one wait. If the task is cancelled, `onCancel` decides how the wait ends.
    func value(onCancel: @Sendable () -> Void) async throws(PostgresError) -> Value {
        try await withTaskCancellationHandler {
            await outcome()
        } onCancel: {
            onCancel()
        }
        .get()
    }
}
