public import FoundationEssentials

/// The course of one change under its fences (rules 22 to 32), as a value without I/O.
///
/// A change has a fence for each of its keys. They are inserted, waited for and lifted together, so the rules say "a fence" and mean all of
/// them: they are acknowledged when all are, and they count as gone when one is.
///
/// The owner carries out ``step``, reports the outcome by one of the methods, and goes on until the step is `finished`.
public struct FencedChange: Sendable {
    /// The next action.
    public enum Step: Sendable, Hashable {
        /// Insert fences with these ids, commit them together, and notify the nodes.
        case insert([UUID])
        /// Wait until all listed nodes have acknowledged the fences, if acknowledgements suffice (rule 32), or until the moment.
        case wait([UUID], until: Moment)
        /// Delete the rows of nodes that have not acknowledged, if all fences still stand (rule 24), and record the timeline (rule 32).
        case removeSilentNodes([UUID])
        /// Commit the change.
        case commit
        /// Delete the fences that still stand.
        case lift([UUID])
        /// The end.
        case finished(Outcome)
    }

    /// The end of a change.
    public enum Outcome: Sendable, Hashable {
        /// The change can be reported: no verification that starts from now on sees an older state.
        case completed
        /// The change was not made, and its own error is the answer.
        ///
        /// The fences can still stand. Nothing rests on the moment of their lift, so the answer does not wait for it.
        case refused(lifting: [UUID])
        /// A fence could not be inserted, and the change was not made.
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

    private let count: Int
    private let times: FenceTimes
    private let makeID: @Sendable () -> UUID
    private var attempts = 1
    private var isCommitted = false

    /// Begins a change.
    ///
    /// - Parameters:
    ///   - count: The number of fences, at least 1.
    ///   - times: The durations of the protocol.
    ///   - makeID: Creates the ids of fences.
    public init(
        fences count: Int = 1,
        times: FenceTimes = .standard,
        makeID: @escaping @Sendable () -> UUID = { UUID() }
    ) {
        self.count = count
        self.times = times
        self.makeID = makeID
        step = Self.insertion(count, makeID)
    }

    /// Notes that the commit of the fences was answered.
    ///
    /// - Parameter now: The clock after the answer (rule 23).
    public mutating func inserted(at now: Moment) {
        guard case .insert(let fences) = step else { return }
        step = .wait(fences, until: now + times.wait)
    }

    /// Notes that every listed node has acknowledged all fences.
    public mutating func acknowledged() {
        guard case .wait(let fences, _) = step else { return }
        step = nextAfterWait(fences)
    }

    /// Notes that time has passed.
    ///
    /// - Parameter now: The clock.
    public mutating func passed(to now: Moment) {
        guard case .wait(let fences, let end) = step, now >= end else { return }
        step = .removeSilentNodes(fences)
    }

    /// Notes that the rows of silent nodes were deleted, or that a fence did not stand any more.
    public mutating func removedSilentNodes() {
        guard case .removeSilentNodes(let fences) = step else { return }
        step = nextAfterWait(fences)
    }

    /// Notes that the commit of the change was answered without a warning, or that there was nothing to change (rule 31).
    public mutating func committed() {
        guard step == .commit else { return }
        isCommitted = true
        step = .lift(fences)
    }

    /// Notes that the change was rolled back.
    public mutating func rolledBack() {
        guard step == .commit else { return }
        step = .finished(.refused(lifting: fences))
    }

    /// Notes that the outcome of the commit is unknown.
    ///
    /// The fences stay until they expire (rules 26 and 27).
    public mutating func commitUnknown() {
        guard step == .commit else { return }
        step = .finished(.unknown)
    }

    /// Notes the answer to the lift.
    ///
    /// - Parameter wasStanding: True if all fences stood until the lift, and the commit of the lift was answered without a warning (rule 30).
    public mutating func lifted(wasStanding: Bool) {
        guard case .lift = step else { return }
        if wasStanding {
            step = .finished(.completed)
        } else {
            fenceAgain()
        }
    }

    /// Notes that the session of the fences has ended, or that its statement failed.
    ///
    /// The fences count as gone (rule 29). Any further fences need a new session.
    public mutating func lostSession() {
        switch step {
        case .insert, .wait, .removeSilentNodes:
            if isCommitted { fenceAgain() } else { step = .finished(.notStarted) }
        case .commit: break  // The lift finds out.
        case .lift: fenceAgain()
        case .finished: break
        }
    }

    /// The fences that were waited for last.
    private var fences: [UUID] = []

    private static func insertion(_ count: Int, _ makeID: () -> UUID) -> Step {
        .insert((0..<count).map { _ in makeID() })
    }

    private mutating func nextAfterWait(_ fences: [UUID]) -> Step {
        self.fences = fences
        return isCommitted ? .lift(fences) : .commit
    }

    private mutating func fenceAgain() {
        guard attempts < Self.maximumAttempts else { return step = .finished(.unknown) }
        attempts += 1
        step = Self.insertion(count, makeID)
    }
}
