import Glibc

/// The signals that a command has received, and the work that they can cancel.
package struct InterruptState: Sendable {
    /// The kind of a work.
    package enum Work: Sendable, Equatable {
        /// The work that the user asked for. The first signal cancels it.
        case request
        /// The removal of what the command has made. A first signal leaves it alone, because it is what the signal asks for.
        case cleanUp
    }

    /// The consequence of a signal.
    package enum Action: Sendable, Equatable {
        /// The work is cancelled, and says what it knows about its own fate.
        case cancelWork
        /// The process ends.
        case endProcess
        /// Nothing follows.
        case none
    }

    private enum Phase {
        case idle, cancelled
        case running(Work)
    }

    private var phase = Phase.idle
    private var hasSignal = false

    /// Creates the state of a process without signals.
    package init() {}

    /// Notes that a work begins.
    package mutating func begin(_ work: Work) { phase = .running(work) }

    /// Notes that the work has ended.
    package mutating func end() { phase = .idle }

    /// Returns the consequence of a signal.
    ///
    /// A terminal that closes can send SIGHUP twice, by its shell and by the kernel. Nobody is there who could have meant the second one.
    package mutating func received(_ signal: CInt) -> Action {
        let isFirst = !hasSignal
        hasSignal = true
        if signal == SIGHUP, !isFirst { return .none }
        switch phase {
        case .idle, .cancelled: return .endProcess
        case .running(.cleanUp) where isFirst: return .none
        case .running:
            phase = .cancelled
            return .cancelWork
        }
    }
}
