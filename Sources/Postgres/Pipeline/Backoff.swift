/// The pause after a failed attempt to connect.
///
/// The pause doubles with each failure, from 50 ms to 0.8 s. A random part of it is left out, so that the connections of many programs do
/// not all come back at the same moment. During the pause callers fail at once with the last error, instead of waiting for a server that
/// does not answer. After the pause one caller tries to connect, and the others wait for the outcome of that attempt.
package struct Backoff: Sendable {
    private enum State {
        case reachable
        case unreachable(failures: Int, until: MonotonicInstant, PostgresError)
    }

    private var state = State.reachable

    package init() {}

    static let shortest = Duration.milliseconds(50)
    static let longest = Duration.milliseconds(800)

    /// Returns the error for a caller that asks during the pause.
    ///
    /// The result is `nil` if the caller can try to connect.
    package func refusal(at now: MonotonicInstant) -> PostgresError? {
        guard case .unreachable(_, let until, var error) = state, now < until else { return nil }
        error.isOfPause = true
        return error
    }

    /// Notes that a connection was opened.
    package mutating func succeeded() { state = .reachable }

    /// Notes that no connection could be opened.
    ///
    /// - Parameters:
    ///   - error: The reason.
    ///   - now: The current instant.
    ///   - part: The part of the pause that is kept, from 0.5 to 1. Defaults to a random one.
    package mutating func failed(
        _ error: PostgresError,
        at now: MonotonicInstant,
        part: Double = .random(in: 0.5...1)
    ) {
        let failures = if case .unreachable(let failures, _, _) = state { failures } else { 0 }
        let pause = min(Self.longest, Self.shortest * (1 << min(failures, 10))) * part
        state = .unreachable(failures: failures + 1, until: now + pause, error)
    }
}
