package import Connections
package import NIOCore

/// The life of a gateway's connection: requests that are answered in their order, with a deadline for each wait.
///
/// Several requests can be under way at once (RFC 9112 section 9.3.2). Their bodies are dropped, and no answer waits for one. The state
/// is a value without I/O. It takes an event and the time, and returns the next action.
package struct PipelineState: Sendable {
    /// The next part of a request that is awaited.
    package enum Reading: Sendable, Equatable {
        /// A head.
        case head
        /// The rest of a body until the deadline.
        ///
        /// `isHeldBack` is true if the client waits for `100 Continue` before it sends the body.
        case body(until: NIODeadline, isHeldBack: Bool)
        /// No further request.
        case nothing
    }

    /// A step of the connection's life.
    package enum Phase: Sendable, Equatable {
        /// Requests are read and answered.
        case open
        /// The last answer is on its way to the client.
        case finishing
        /// The server has closed its side, and reads nothing more.
        case lingering(until: NIODeadline)
    }

    /// The next action of the driver.
    package enum Action: Sendable, Equatable {
        case none
        case close(CloseReason)
    }

    /// The largest part of a body that is dropped before the connection ends.
    package static let maximumBody = 1_048_576

    /// The next part that is awaited.
    package private(set) var reading = Reading.head
    /// The step of the connection's life.
    package private(set) var phase = Phase.open
    /// The number of requests without an answer.
    package private(set) var unanswered = 0

    private let limits: ConnectionLimits
    private var isLast = false
    private var isDraining = false
    private var isFirst = true
    private var bodyBytes = 0
    /// The deadline of the next head, which counts while no request is under way.
    private var headDeadline: NIODeadline
    private var answers: AnswerDeadline

    /// Creates the state of a new connection.
    package init(_ limits: ConnectionLimits, at now: NIODeadline) {
        self.limits = limits
        answers = AnswerDeadline(limits)
        headDeadline = now + TimeAmount(limits.head)
    }

    /// True if the connection waits for a request and has none.
    package var isIdle: Bool { phase == .open && reading == .head && unanswered == 0 }

    /// The next time at which ``timerFired(at:)`` has something to do.
    package var deadline: NIODeadline? {
        let ofPhase: NIODeadline? =
            switch phase {
            case .open:
                switch reading {
                case .head: unanswered == 0 ? headDeadline : nil
                case .body(let until, _): until
                case .nothing: nil
                }
            case .finishing: nil
            case .lingering(let until): until
            }
        return answers.earlier(of: ofPhase)
    }

    // MARK: Requests

    /// Begins a request.
    ///
    /// - Parameters:
    ///   - isLast: True if no request follows on this connection.
    ///   - isHeldBack: True if the client waits for `100 Continue` before it sends the body.
    ///   - now: The time.
    package mutating func headArrived(isLast: Bool, isHeldBack: Bool, at now: NIODeadline) {
        isFirst = false
        self.isLast = self.isLast || isLast
        unanswered += 1
        bodyBytes = 0
        reading = .body(until: now + TimeAmount(limits.body), isHeldBack: isHeldBack)
    }

    /// Notes a part of a body.
    ///
    /// - Returns: The next action. A body that is too large ends the connection.
    package mutating func bodyArrived(_ count: Int, at now: NIODeadline) -> Action {
        guard case .body = reading else { return .none }
        bodyBytes += count
        return bodyBytes > Self.maximumBody ? stopReading(.body) : .none
    }

    /// Notes the end of a request.
    package mutating func requestEnded(at now: NIODeadline) {
        guard case .body = reading else { return }
        reading = isLast ? .nothing : .head
        awaitHead(at: now)
    }

    /// Notes that nothing more can be read, because the client has sent its last byte or a fault.
    ///
    /// - Parameter isAnswered: True if a fault is answered, so that one more answer follows.
    package mutating func inputEnded(isAnswered: Bool = false) {
        isLast = true
        reading = .nothing
        if isAnswered { unanswered += 1 }
    }

    // MARK: Answers

    /// Begins the next answer.
    ///
    /// - Parameter hasMore: True if further requests have arrived that did not begin yet. Behind a last request they never begin.
    /// - Returns: True if the answer is the last one and must say so.
    package mutating func answerBegan(hasMore: Bool) -> Bool {
        guard unanswered == 1, isLast || !hasMore else { return false }
        // A client that holds its body back can send it or not after the answer, so the next head cannot be found.
        if case .body(_, isHeldBack: true) = reading { isLast = true }
        if isDraining { isLast = true }
        return isLast
    }

    /// Notes that an answer was handed to the connection.
    ///
    /// - Returns: True if it was the last answer.
    package mutating func answerEnded(at now: NIODeadline) -> Bool {
        unanswered -= 1
        guard unanswered == 0, isLast else {
            awaitHead(at: now)
            return false
        }
        reading = .nothing
        phase = .finishing
        answers.lastAnswerBegan(at: now)
        return true
    }

    /// Notes that the client takes its answers more slowly than the server gives them.
    package mutating func answersStalled(at now: NIODeadline) { answers.stalled(at: now) }

    /// Notes that the client has taken all that was waiting.
    package mutating func answersFlowed() {
        if phase != .finishing { answers.flowed() }
    }

    /// Notes that the last answer has left.
    package mutating func lastAnswerLeft(at now: NIODeadline) {
        answers.flowed()
        phase = .lingering(until: now + TimeAmount(limits.linger))
    }

    // MARK: Time

    /// Makes the answer to the last request that has arrived the last answer.
    ///
    /// An idle connection stays open for a moment, so that a request that is on its way is not lost.
    package mutating func drain(at now: NIODeadline) {
        isDraining = true
        headDeadline = min(headDeadline, now + TimeAmount(limits.drainingIdle))
        answers.drain(at: now)
    }

    /// Returns the action of a deadline that has passed.
    package mutating func timerFired(at now: NIODeadline) -> Action {
        if answers.isOver(at: now) { return .close(.answer) }
        switch phase {
        case .open:
            switch reading {
            case .head where unanswered == 0 && headDeadline <= now: return .close(isFirst ? .head : .idle)
            case .body(let until, _) where until <= now: return stopReading(.body)
            case .head, .body, .nothing: return .none
            }
        case .lingering(let until) where until <= now: return .close(.idle)
        case .finishing, .lingering: return .none
        }
    }

    /// Reads nothing more, and closes the connection if no answer is under way.
    private mutating func stopReading(_ reason: CloseReason) -> Action {
        isLast = true
        reading = .nothing
        return unanswered == 0 ? .close(reason) : .none
    }

    private mutating func awaitHead(at now: NIODeadline) {
        guard reading == .head, unanswered == 0 else { return }
        headDeadline = now + TimeAmount(isDraining ? limits.drainingIdle : limits.idle)
    }
}
