import Synchronization

/// One caller that waits for an outcome; resumed exactly once, whoever comes first: the answer, the deadline or a cancellation.
package final class Waiter<Value: Sendable>: Sendable {
    package typealias Outcome = Result<Value, PostgresError>

    @safe
    private enum State {
        case idle
        case waiting(UnsafeContinuation<Outcome, Never>)
        case finished(Outcome)
        case resumed
    }

    private let state = Mutex(State.idle)

    package init() {}

    /// Resumes the caller, unless somebody did already.
    /// - Returns: whether this call decided the outcome.
    @discardableResult
    package func finish(_ outcome: Outcome) -> Bool {
        let previous = self.state.withLock { state in
            let previous = state
            switch state {
            case .idle: state = .finished(outcome)
            case .waiting: state = .resumed
            case .finished, .resumed: break
            }
            return previous
        }
        switch previous {
        case .idle: return true
        case .waiting(let continuation):
            unsafe continuation.resume(returning: outcome)
            return true
        case .finished, .resumed: return false
        }
    }

    /// Whether the outcome is decided.
    var isFinished: Bool {
        self.state.withLock { state in
            switch state {
            case .idle, .waiting: false
            case .finished, .resumed: true
            }
        }
    }

    /// Waits.
    ///
    /// May be called once.
    ///
    /// An unsafe continuation, because this runs for every query and the state above already keeps the promise that a checked one checks.
    func value() async throws(PostgresError) -> Value {
        let outcome = await unsafe withUnsafeContinuation { (continuation: UnsafeContinuation<Outcome, Never>) in
            let early = self.state.withLock { state -> Outcome? in
                if case .finished(let outcome) = state {
                    state = .resumed
                    return outcome
                }
                unsafe state = .waiting(continuation)
                return nil
            }
            if let early { unsafe continuation.resume(returning: early) }
        }
        return try outcome.get()
    }

    /// Waits; when the task is cancelled, `onCancel` decides what that means.
    func value(onCancel: @Sendable () -> Void) async throws(PostgresError) -> Value {
        let outcome = await withTaskCancellationHandler {
            do throws(PostgresError) {
                return Outcome.success(try await value())
            } catch {
                return Outcome.failure(error)
            }
        } onCancel: {
            onCancel()
        }
        return try outcome.get()
    }
}
