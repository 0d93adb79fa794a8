import Connections
import NIOCore
import Server
import Testing

/// The life of a connection, without a socket and without waiting.
@Suite struct ConnectionStateTests {
    private static let limits = {
        var limits = ConnectionLimits()
        limits.head = .seconds(10)
        limits.body = .seconds(20)
        limits.answer = .seconds(30)
        limits.idle = .seconds(60)
        limits.drainingIdle = .seconds(1)
        limits.drainingAnswer = .seconds(5)
        return limits
    }()

    private static func at(_ seconds: Int64) -> NIODeadline {
        NIODeadline.uptimeNanoseconds(1_000_000_000_000) + .seconds(seconds)
    }

    /// Returns a connection whose first request has arrived in full.
    private static func asked() -> ConnectionState {
        var state = ConnectionState(limits, at: at(0))
        state.headArrived(isLast: false, expectsContinue: false, at: at(0))
        state.requestEnded(at: at(0))
        return state
    }

    @Test func `the first head, the body and the next head have a deadline each`() {
        var state = ConnectionState(Self.limits, at: Self.at(0))
        #expect(state.deadline == Self.at(10))
        let early = state.timerFired(at: Self.at(9))
        let late = state.timerFired(at: Self.at(10))
        #expect(early == .none)
        #expect(late == .close(.head))
        state.headArrived(isLast: false, expectsContinue: false, at: Self.at(1))
        #expect(state.deadline == Self.at(21))
        state.requestEnded(at: Self.at(2))
        // The endpoint's own deadline bounds the time until the answer.
        #expect(state.deadline == nil)
        let saysClose = state.answerBegan(saysClose: false)
        let isLast = state.answerEnded(at: Self.at(3))
        #expect(!saysClose && !isLast)
        #expect(state.deadline == Self.at(63))
        let idle = state.timerFired(at: Self.at(63))
        #expect(idle == .close(.idle))
    }

    @Test func `a late body fails an answer that is not begun, and closes after one that is`() {
        var waiting = ConnectionState(Self.limits, at: Self.at(0))
        waiting.headArrived(isLast: false, expectsContinue: false, at: Self.at(0))
        let failure = waiting.timerFired(at: Self.at(20))
        let saysClose = waiting.answerBegan(saysClose: false)
        let isLast = waiting.answerEnded(at: Self.at(21))
        #expect(failure == .failBody)
        #expect(saysClose && isLast)

        var answered = ConnectionState(Self.limits, at: Self.at(0))
        answered.headArrived(isLast: false, expectsContinue: false, at: Self.at(0))
        _ = answered.answerBegan(saysClose: false)
        _ = answered.answerEnded(at: Self.at(1))
        let end = answered.timerFired(at: Self.at(20))
        #expect(end == .close(.body))
    }

    @Test func `a client that takes nothing is given up, and one that takes something is not`() {
        var state = Self.asked()
        _ = state.answerBegan(saysClose: false)
        state.answerStalled(at: Self.at(5))
        #expect(state.deadline == Self.at(35))
        state.answerStalled(at: Self.at(30))
        let late = state.timerFired(at: Self.at(35))
        #expect(late == .none)
        state.answerFlowed()
        #expect(state.deadline == nil)
        // The last answer must leave in time, however small it is.
        var last = Self.asked()
        _ = last.answerBegan(saysClose: true)
        let isLast = last.answerEnded(at: Self.at(0))
        let end = last.timerFired(at: Self.at(30))
        #expect(isLast)
        #expect(end == .close(.answer))
    }

    @Test func `after the stop each answer is the last, and an idle connection has a moment`() {
        var idle = ConnectionState(Self.limits, at: Self.at(0))
        idle.drain(at: Self.at(2))
        #expect(idle.deadline == Self.at(3))
        idle.headArrived(isLast: false, expectsContinue: false, at: Self.at(2))
        idle.requestEnded(at: Self.at(2))
        let saysClose = idle.answerBegan(saysClose: false)
        #expect(saysClose)
        // An answer whose head has left cannot say it any more. The next one does.
        var answering = Self.asked()
        _ = answering.answerBegan(saysClose: false)
        answering.drain(at: Self.at(1))
        let isLast = answering.answerEnded(at: Self.at(2))
        #expect(!isLast)
        #expect(answering.deadline == Self.at(3))
        answering.headArrived(isLast: false, expectsContinue: false, at: Self.at(2))
        let saysCloseNow = answering.answerBegan(saysClose: false)
        #expect(saysCloseNow)
        // A stalled answer has less time.
        var stalled = Self.asked()
        _ = stalled.answerBegan(saysClose: false)
        stalled.answerStalled(at: Self.at(0))
        stalled.drain(at: Self.at(1))
        #expect(stalled.deadline == Self.at(6))
    }

    @Test func `100 Continue is sent once, and a refusal in its place is the last answer`() {
        var state = ConnectionState(Self.limits, at: Self.at(0))
        state.headArrived(isLast: false, expectsContinue: true, at: Self.at(0))
        let (first, second) = (state.takeExpectation(), state.takeExpectation())
        #expect(first && !second)
        state.requestEnded(at: Self.at(1))
        let saysClose = state.answerBegan(saysClose: false)
        #expect(!saysClose)

        var refused = ConnectionState(Self.limits, at: Self.at(0))
        refused.headArrived(isLast: false, expectsContinue: true, at: Self.at(0))
        let refusalSaysClose = refused.answerBegan(saysClose: false)
        #expect(refusalSaysClose)
        // A request without a body has nothing to wait for.
        var empty = ConnectionState(Self.limits, at: Self.at(0))
        empty.headArrived(isLast: false, expectsContinue: true, at: Self.at(0))
        empty.requestEnded(at: Self.at(0))
        let emptySaysClose = empty.answerBegan(saysClose: false)
        #expect(!emptySaysClose)
    }
}
