package import NIOCore
package import NIOHTTP2

/// The life of an HTTP/2 connection: the wait for streams, and an end that loses no request (RFC 9113 section 6.8).
///
/// Each stream has deadlines of its own. The state is a value without I/O. It takes an event and the time, and returns the next action.
package struct HTTP2ConnectionState: Sendable {
    /// A step of the connection's life.
    package enum Phase: Sendable, Equatable {
        /// Streams are accepted.
        case open
        /// The client was told that the connection ends, and streams are accepted until it knows.
        case announced(until: NIODeadline)
        /// The accepted streams end. The client knows which ones they are.
        case ending
        /// The server has closed its side, and waits for the client's end.
        case lingering(until: NIODeadline)
    }

    /// The next action of the driver.
    package enum Action: Sendable, Equatable {
        case none
        /// Tell the client that the connection ends, and find out when it knows.
        case announce
        /// Name the last stream that is answered.
        case conclude(last: HTTP2StreamID)
        /// Close the server's side.
        case finish
        /// Close the connection.
        case close
    }

    /// The step of the connection's life.
    package private(set) var phase = Phase.open
    /// The number of open streams.
    package var streams: Int { open.count }

    private var open: Set<HTTP2StreamID> = []

    private let limits: ConnectionLimits
    private var isDraining = false
    private var isFirst = true
    private var last = HTTP2StreamID.rootStream
    /// The deadline of the next stream, which counts while no stream is open.
    private var streamDeadline: NIODeadline
    private var answers: AnswerDeadline

    /// Creates the state of a new connection.
    ///
    /// - Parameters:
    ///   - limits: The limits of the connection.
    ///   - start: The start of the connection.
    package init(_ limits: ConnectionLimits, since start: NIODeadline) {
        self.limits = limits
        answers = AnswerDeadline(limits)
        streamDeadline = start + TimeAmount(limits.head)
    }

    /// True if the connection waits for a stream and has none.
    package var isIdle: Bool { phase == .open && streams == 0 }

    /// The next time at which ``timerFired(at:)`` has something to do.
    package var deadline: NIODeadline? {
        let ofPhase: NIODeadline? =
            switch phase {
            case .open: streams == 0 ? streamDeadline : nil
            case .announced(let until), .lingering(let until): until
            case .ending: nil
            }
        return answers.earlier(of: ofPhase)
    }

    // MARK: Streams

    /// Notes a new stream.
    package mutating func streamOpened(_ id: HTTP2StreamID) {
        isFirst = false
        open.insert(id)
        last = max(last, id)
    }

    /// Notes the end of a stream.
    ///
    /// A malformed request is the end of a stream that was never opened, and changes nothing.
    ///
    /// - Returns: The next action. The last stream of a connection that ends closes it.
    package mutating func streamClosed(_ id: HTTP2StreamID, at now: NIODeadline) -> Action {
        guard open.remove(id) != nil, open.isEmpty else { return .none }
        streamDeadline = now + TimeAmount(limits.idle)
        return phase == .ending ? .finish : .none
    }

    // MARK: Answers

    /// Notes that the client takes its answers more slowly than the server gives them.
    package mutating func answersStalled(at now: NIODeadline) { answers.stalled(at: now) }

    /// Notes that the client has taken all that was waiting.
    package mutating func answersFlowed() { answers.flowed() }

    // MARK: The end

    /// Begins the end of the connection because the server stops.
    package mutating func drain(at now: NIODeadline) -> Action {
        isDraining = true
        answers.drain(at: now)
        return announce(at: now)
    }

    /// Ends an idle connection at once, because another one needs the slot.
    package mutating func makeRoom() -> Action {
        guard isIdle else { return .none }
        phase = .ending
        return .conclude(last: last)
    }

    /// Notes that the client knows of the end.
    package mutating func announcementArrived() -> Action {
        guard case .announced = phase else { return .none }
        phase = .ending
        return .conclude(last: last)
    }

    /// Notes that the client sends nothing more.
    ///
    /// The answers to its streams can still leave.
    package mutating func inputEnded() -> Action {
        if case .lingering = phase { return .close }
        phase = .ending
        return streams == 0 ? .close : .none
    }

    /// Notes that the server has closed its side.
    package mutating func finished(at now: NIODeadline) {
        answers.flowed()
        phase = .lingering(until: now + TimeAmount(limits.linger))
    }

    // MARK: Time

    /// Returns the action of a deadline that has passed, and the reason if it ends the connection.
    package mutating func timerFired(at now: NIODeadline) -> (action: Action, reason: CloseReason?) {
        if answers.isOver(at: now) { return (.close, .answer) }
        switch phase {
        case .open where streams == 0 && streamDeadline <= now:
            return isFirst ? (.close, .head) : (announce(at: now), .idle)
        case .announced(let until) where until <= now: return (announcementArrived(), nil)
        case .lingering(let until) where until <= now: return (.close, nil)
        case .open, .announced, .ending, .lingering: return (.none, nil)
        }
    }

    private mutating func announce(at now: NIODeadline) -> Action {
        guard phase == .open else { return .none }
        phase = .announced(until: now + TimeAmount(limits.drainingIdle))
        return .announce
    }
}
