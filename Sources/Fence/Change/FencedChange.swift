public import FoundationEssentials

/// The course of one change under its fences (rules 22 to 32), as a value without I/O.
///
/// The fence is about all keys of the change.
///
/// The owner carries out ``step``, reports the outcome by one of the methods, and goes on until the step is `finished`.
public struct FencedChange: Sendable {
    /// The next action.
    public enum Step: Sendable, Hashable {
        /// Insert a fence with this id, commit it, and notify the nodes.
        case insert(UUID)
        /// Wait until all listed nodes have acknowledged the fence, if acknowledgements suffice (rule 32), or until the moment.
        case wait(UUID, until: Moment)
        /// Delete the rows of nodes that have not acknowledged, if the fence still stands (rule 24), and record the timeline (rule 32).
        case removeSilentNodes(UUID)
        /// Commit the change.
        case commit
        /// Delete the fence, if it still stands.
        case lift(UUID)
        /// The end.
        case finished(Outcome)
    }

    /// The end of a change.
    public enum Outcome: Sendable, Hashable {
        /// The change can be reported: no verification that starts from now on sees an older state.
        case completed
        /// The change was not made, and its own error is the answer.
        ///
        /// The fence can still stand. Nothing rests on the moment of its lift, so the answer does not wait for it.
        case refused(lifting: UUID)
        /// The fence could not be inserted, and the change was not made.
        case notStarted
        /// The change was made or not made, or made without the promise.
        ///
        /// The answer is 503, and a repetition leads to the promise.
        case unknown
    }

    /// The maximum number of times that a change fences its keys (rule 28).
    static let maximumAttempts = 2

    /// The next action.
    public private(set) var step: Step

    /// The fence that was inserted last.
    private var fence: UUID
    private let times: FenceTimes
    private let makeID: @Sendable () -> UUID
    private var attempts = 1
    private var isCommitted = false

    /// Begins a change.
    ///
    /// - Parameters:
    ///   - times: The durations of the protocol.
    ///   - makeID: Creates the ids of fences.
    public init(times: FenceTimes = .standard, makeID: @escaping @Sendable () -> UUID = { UUID() }) {
        self.times = times
        self.makeID = makeID
        fence = makeID()
        step = .insert(fence)
    }

    /// Notes that the commit of the fence was answered.
    ///
    /// - Parameter now: The clock after the answer (rule 23).
    public mutating func inserted(at now: Moment) {
        guard case .insert = step else { return }
        step = .wait(fence, until: now + times.wait)
    }

    /// Notes that every listed node has acknowledged the fence.
    public mutating func acknowledged() {
        guard case .wait = step else { return }
        step = nextAfterWait
    }

    /// Notes that time has passed.
    ///
    /// - Parameter now: The clock.
    public mutating func passed(to now: Moment) {
        guard case .wait(_, let end) = step, now >= end else { return }
        step = .removeSilentNodes(fence)
    }

    /// Notes that the rows of silent nodes were deleted, or that the fence did not stand any more.
    public mutating func removedSilentNodes() {
        guard case .removeSilentNodes = step else { return }
        step = nextAfterWait
    }

    /// Notes that the commit of the change was answered without a warning, or that there was nothing to change (rule 31).
    public mutating func committed() {
        guard step == .commit else { return }
        isCommitted = true
        step = .lift(fence)
    }

    /// Notes that the change was rolled back.
    public mutating func rolledBack() {
        guard step == .commit else { return }
        step = .finished(.refused(lifting: fence))
    }

    /// Notes that the outcome of the commit is unknown.
    ///
    /// The fence stays until it expires (rules 26 and 27).
    public mutating func commitUnknown() {
        guard step == .commit else { return }
        step = .finished(.unknown)
    }

    /// Notes the answer to the lift.
    ///
    /// - Parameter wasStanding: True if the fence stood until the lift, and the commit of the lift was answered without a warning (rule 30).
    public mutating func lifted(wasStanding: Bool) {
        guard case .lift = step else { return }
        if wasStanding {
            step = .finished(.completed)
        } else {
            fenceAgain()
        }
    }

    /// Notes that the session of the fence has ended, or that its statement failed.
    ///
    /// The fence counts as gone (rule 29). A further fence needs a new session.
    public mutating func lostSession() {
        switch step {
        case .insert, .wait, .removeSilentNodes:
            if isCommitted { fenceAgain() } else { step = .finished(.notStarted) }
        case .commit: break  // The lift finds out.
        case .lift: fenceAgain()
        case .finished: break
        }
    }

    private var nextAfterWait: Step { isCommitted ? .lift(fence) : .commit }

    private mutating func fenceAgain() {
        guard attempts < Self.maximumAttempts else { return step = .finished(.unknown) }
        attempts += 1
        fence = makeID()
        step = .insert(fence)
    }
}
