package import Connections
package import NIOCore

/// The life of an HTTP/1.1 connection: one request after another, each with a deadline (RFC 9112 section 9).
///
/// The state is a value without I/O. It takes an event and the time, and returns the next action.
package struct ConnectionState {
    /// A step of the connection's life.
    enum Phase: Equatable {
        /// The next head is awaited until the deadline.
        case waiting(until: NIODeadline)
        /// A request arrives or is answered.
        case exchanging(Exchange)
        /// The last answer is on its way to the client.
        case finishing
        /// The server has closed its side, and reads nothing more.
        case lingering(until: NIODeadline)
    }

    /// One request and its answer.
    struct Exchange: Equatable {
        /// The progress of the request.
        enum Request: Equatable {
            case arriving(until: NIODeadline)
            case complete
            /// The rest of the request cannot be read.
            case broken
        }

        /// The progress of the answer.
        enum Answer: Equatable { case none, begun, ended }

        var request: Request
        var answer: Answer = .none
        /// True if no request follows on this connection.
        var isLast: Bool
        /// True if the client waits for `100 Continue` before it sends the body.
        var expectsContinue: Bool
    }

    /// The next action of the driver.
    package enum Action: Equatable {
        case none
        /// Pass the failure of the body to the endpoint, which answers it.
        case failBody
        case close(CloseReason)
    }

    private(set) var phase: Phase
    private let limits: ConnectionLimits
    private var isDraining = false
    private var isFirst = true
    private var answers: AnswerDeadline

    package init(_ limits: ConnectionLimits, at now: NIODeadline) {
        self.limits = limits
        answers = AnswerDeadline(limits)
        phase = .waiting(until: now + TimeAmount(limits.head))
    }

    /// True if the next part of input belongs to a later request.
    var holdsInput: Bool {
        switch phase {
        case .waiting, .lingering, .finishing: false
        case .exchanging(let exchange): exchange.request == .complete
        }
    }

    /// True if a head is awaited.
    var isWaiting: Bool { if case .waiting = phase { true } else { false } }

    /// The next time at which ``timerFired(at:)`` has something to do.
    package var deadline: NIODeadline? {
        let ofPhase: NIODeadline? =
            switch phase {
            case .waiting(let until), .lingering(let until): until
            case .exchanging(let exchange):
                if case .arriving(let until) = exchange.request { until } else { nil }
            case .finishing: nil
            }
        return answers.earlier(of: ofPhase)
    }

    // MARK: Requests

    /// Begins an exchange with a head.
    package mutating func headArrived(isLast: Bool, expectsContinue: Bool, at now: NIODeadline) {
        isFirst = false
        phase = .exchanging(
            Exchange(
                request: .arriving(until: now + TimeAmount(limits.body)),
                isLast: isLast || isDraining,
                expectsContinue: expectsContinue
            )
        )
    }

    /// Notes the end of the request.
    package mutating func requestEnded(at now: NIODeadline) {
        guard case .exchanging(var exchange) = phase else { return }
        exchange.request = .complete
        phase = exchange.answer == .ended ? next(at: now) : .exchanging(exchange)
    }

    /// Notes that the rest of the request cannot be read.
    ///
    /// - Returns: `failBody` if the endpoint must be told, because it has not answered.
    package mutating func requestBroke(at now: NIODeadline) -> Action {
        guard case .exchanging(var exchange) = phase else { return .none }
        exchange.request = .broken
        exchange.isLast = true
        phase = exchange.answer == .ended ? .finishing : .exchanging(exchange)
        return exchange.answer == .none ? .failBody : .none
    }

    /// Notes that the client sends nothing more.
    package mutating func inputEnded() {
        guard case .exchanging(var exchange) = phase else { return }
        exchange.isLast = true
        phase = .exchanging(exchange)
    }

    /// Returns true once if the client waits for `100 Continue`.
    package mutating func takeExpectation() -> Bool {
        guard case .exchanging(var exchange) = phase, exchange.expectsContinue, exchange.answer == .none,
            case .arriving = exchange.request
        else { return false }
        exchange.expectsContinue = false
        phase = .exchanging(exchange)
        return true
    }

    // MARK: Answers

    /// Begins the answer.
    ///
    /// - Parameter saysClose: True if the answer already has `Connection: close`.
    /// - Returns: True if the answer must have `Connection: close`.
    package mutating func answerBegan(saysClose: Bool) -> Bool {
        guard case .exchanging(var exchange) = phase else { return true }
        exchange.answer = .begun
        // A client that was refused before it sent its body may send it or not, so the next head cannot be found.
        exchange.isLast =
            exchange.isLast || saysClose || isDraining
            || (exchange.expectsContinue && exchange.request != .complete)
        phase = .exchanging(exchange)
        return exchange.isLast
    }

    /// Notes that the answer was handed to the connection.
    ///
    /// - Returns: True if it was the last answer.
    package mutating func answerEnded(at now: NIODeadline) -> Bool {
        guard case .exchanging(var exchange) = phase else { return true }
        exchange.answer = .ended
        if exchange.isLast {
            phase = .finishing
            answers.lastAnswerBegan(at: now)
            return true
        }
        phase = exchange.request == .complete ? next(at: now) : .exchanging(exchange)
        return false
    }

    /// Notes that the client takes its answer more slowly than the server gives it.
    package mutating func answerStalled(at now: NIODeadline) { answers.stalled(at: now) }

    /// Notes that the client has taken all that was waiting.
    package mutating func answerFlowed() {
        if phase != .finishing { answers.flowed() }
    }

    /// Notes that the last answer has left.
    package mutating func lastAnswerLeft(at now: NIODeadline) {
        answers.flowed()
        phase = .lingering(until: now + TimeAmount(limits.linger))
    }

    // MARK: Time

    /// Makes the current or next answer the last one.
    ///
    /// An idle connection stays open for a moment, so that a request that is on its way is not lost.
    package mutating func drain(at now: NIODeadline) {
        isDraining = true
        if case .waiting(let until) = phase {
            phase = .waiting(until: min(until, now + TimeAmount(limits.drainingIdle)))
        }
        answers.drain(at: now)
    }

    /// Returns the action of a deadline that has passed.
    package mutating func timerFired(at now: NIODeadline) -> Action {
        if answers.isOver(at: now) { return .close(.answer) }
        switch phase {
        case .waiting(let until) where until <= now: return .close(isFirst ? .head : .idle)
        case .lingering(let until) where until <= now: return .close(.idle)
        case .exchanging(let exchange):
            guard case .arriving(let until) = exchange.request, until <= now else { return .none }
            return exchange.answer == .none ? requestBroke(at: now) : .close(.body)
        case .waiting, .lingering, .finishing: return .none
        }
    }

    private func next(at now: NIODeadline) -> Phase {
        .waiting(until: now + TimeAmount(isDraining ? limits.drainingIdle : limits.idle))
    }
}
