import Synchronization

/// A caller that waits for an outcome.
///
/// The caller is resumed exactly once, by the first of the events that can end its wait: the answer, the deadline or a cancellation.
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

    /// Resumes the caller, unless an earlier call did.
    ///
    /// - Returns: True if this call decided the outcome.
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
    /// One call is allowed.
    ///
    /// The continuation is an unsafe one, because this runs for every statement. The state above ensures what a checked one checks.
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

    /// Waits for the outcome.
    ///
    /// If the task is cancelled, `onCancel` decides how the wait ends.
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
