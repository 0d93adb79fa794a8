import Locks

/// The wait of one caller for an outcome.
///
/// The caller is resumed exactly once, by the first of the events that can end its wait: the answer, the deadline or a cancellation.
struct Wait<Value: Sendable>: ~Copyable, Sendable {
    @safe
    enum State {
        case idle
        case waiting(UnsafeContinuation<Outcome<Value>, Never>)
        case finished(Outcome<Value>)
        case resumed
    }

    private let state = Locked(State.idle)

    /// Resumes the caller, unless an earlier call did.
    ///
    /// - Returns: True if this call decided the outcome.
    @discardableResult
    func finish(_ outcome: Outcome<Value>) -> Bool {
        let continuation: UnsafeContinuation<Outcome<Value>, Never>?
        let isFirst: Bool
        unsafe (continuation, isFirst) = state.withLock { state in
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
        state.withLock { state in
            switch state {
            case .idle, .waiting: false
            case .finished, .resumed: true
            }
        }
    }

    /// Waits for the outcome, also in a cancelled task.
    ///
    /// Only one wait is allowed. The continuation is an unsafe one, because this runs for every statement. The state above ensures what a
    /// checked one checks.
    @inline(__always)
    func outcome() async -> Outcome<Value> {
        await unsafe withUnsafeContinuation { (continuation: UnsafeContinuation<Outcome<Value>, Never>) in
            let early = state.withLock { state -> Outcome<Value>? in
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

    /// Waits for the outcome.
    ///
    /// Only one wait is allowed. If the task is cancelled, `onCancel` decides how the wait ends.
    @inline(__always)
    func outcome(onCancel: @Sendable () -> Void) async -> Outcome<Value> {
        await withTaskCancellationHandler {
            await outcome()
        } onCancel: {
            onCancel()
        }
    }
}

/// A caller that waits for something other than an answer.
package final class Waiter<Value: Sendable>: Sendable {
    private let wait = Wait<Value>()

    /// Resumes the caller, unless an earlier call did.
    func finish(_ outcome: Outcome<Value>) { wait.finish(outcome) }

    /// Waits for the outcome, also in a cancelled task.
    func value() async throws(PostgresError) -> Value { try await wait.outcome().get() }

    /// Waits for the outcome.
    ///
    /// If the task is cancelled, `onCancel` decides how the wait ends.
    func value(onCancel: @Sendable () -> Void) async throws(PostgresError) -> Value {
        try await wait.outcome(onCancel: onCancel).get()
    }
}
