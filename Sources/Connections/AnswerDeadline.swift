package import NIOCore

/// The time at which a client that takes nothing of its answers is given up.
package struct AnswerDeadline: Sendable {
    /// The deadline, or `nil` while the client takes what it gets.
    package private(set) var instant: NIODeadline?

    private let limits: ConnectionLimits
    private var isDraining = false

    /// Creates the deadline of a connection without an answer.
    package init(_ limits: ConnectionLimits) { self.limits = limits }

    private var patience: TimeAmount { TimeAmount(isDraining ? limits.drainingAnswer : limits.answer) }

    /// Begins the time again, because the client takes less than the server gives.
    package mutating func stalled(at now: NIODeadline) { instant = now + patience }

    /// Begins the time for the last answer, unless it runs already.
    package mutating func lastAnswerBegan(at now: NIODeadline) { instant = instant ?? now + patience }

    /// Ends the time, because the client has taken all.
    package mutating func flowed() { instant = nil }

    /// Shortens the time, because the server stops.
    package mutating func drain(at now: NIODeadline) {
        isDraining = true
        if let instant { self.instant = min(instant, now + patience) }
    }

    /// Returns true if the time is over.
    package func isOver(at now: NIODeadline) -> Bool { instant.map { $0 <= now } ?? false }

    /// Returns the earlier of this deadline and another one.
    package func earlier(of other: NIODeadline?) -> NIODeadline? {
        guard let instant else { return other }
        return min(instant, other ?? instant)
    }
}
