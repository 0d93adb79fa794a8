import Connections
import GatewayAPI
import NIOCore
import Testing

/// The life of a gateway's connection, without a socket.
@Suite struct PipelineStateTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private static var limits: ConnectionLimits {
        var limits = ConnectionLimits()
        limits.head = .seconds(10)
        limits.idle = .seconds(60)
        limits.body = .seconds(5)
        limits.answer = .seconds(20)
        return limits
    }

    private var now: NIODeadline { Self.start }

    private func state() -> Driven { Driven(PipelineState(Self.limits, at: now)) }

    private func after(_ seconds: Int64) -> NIODeadline { now + .seconds(seconds) }

    @Test func `a connection without a request ends at its deadline`() {
        let state = state()
        #expect(state.isIdle && state.deadline == after(10))
        #expect(state.timerFired(at: after(9)) == .none)
        #expect(state.timerFired(at: after(10)) == .close(.head))
    }

    @Test func `requests follow each other, and the idle time counts from the last answer`() {
        let state = state()
        for _ in 0..<3 {
            state.headArrived(isLast: false, isHeldBack: false, at: now)
            state.requestEnded(at: now)
        }
        #expect(state.unanswered == 3 && state.deadline == nil && !state.isIdle)
        for _ in 0..<3 {
            #expect(!state.answerBegan(hasMore: false))
            #expect(!state.answerEnded(at: after(2)))
        }
        #expect(state.isIdle && state.deadline == after(62))
        #expect(state.timerFired(at: after(62)) == .close(.idle))
    }

    @Test func `the answer to a last request is the last, whatever follows it`() {
        let state = state()
        state.headArrived(isLast: false, isHeldBack: false, at: now)
        state.requestEnded(at: now)
        state.headArrived(isLast: true, isHeldBack: false, at: now)
        state.requestEnded(at: now)
        #expect(state.reading == .nothing)
        #expect(!state.answerBegan(hasMore: true))
        #expect(!state.answerEnded(at: now))
        #expect(state.answerBegan(hasMore: true))
        #expect(state.answerEnded(at: now))
        #expect(state.phase == .finishing && state.deadline == after(20))
        state.lastAnswerLeft(at: now)
        #expect(state.timerFired(at: after(2)) == .close(.idle))
    }

    // The fault: a stop that answers the first of several requests that have arrived, and drops the others.
    @Test func `a stop answers all requests that have arrived, and the last answer says so`() {
        let state = state()
        for _ in 0..<2 {
            state.headArrived(isLast: false, isHeldBack: false, at: now)
            state.requestEnded(at: now)
        }
        state.drain(at: now)
        #expect(!state.answerBegan(hasMore: true))
        #expect(!state.answerEnded(at: now))
        // A third request has arrived and has not begun.
        #expect(!state.answerBegan(hasMore: true))
        #expect(!state.answerEnded(at: now))
        state.headArrived(isLast: false, isHeldBack: false, at: now)
        state.requestEnded(at: now)
        #expect(state.answerBegan(hasMore: false))
        #expect(state.answerEnded(at: now))
    }

    @Test func `an idle connection stays open for a moment after a stop`() {
        let state = state()
        state.drain(at: now)
        #expect(state.deadline == after(1))
    }

    // The attack: a body that never ends, or that is endless.
    @Test func `a body that is late or too large ends the connection after the answer`() {
        let late = state()
        late.headArrived(isLast: false, isHeldBack: false, at: now)
        #expect(late.deadline == after(5))
        #expect(late.timerFired(at: after(5)) == .none)
        #expect(late.answerBegan(hasMore: false))
        let answered = state()
        answered.headArrived(isLast: false, isHeldBack: false, at: now)
        #expect(!answered.answerBegan(hasMore: false))
        #expect(!answered.answerEnded(at: now))
        #expect(answered.bodyArrived(PipelineState.maximumBody, at: now) == .none)
        #expect(answered.bodyArrived(1, at: now) == .close(.body))
    }

    @Test func `a body that the client holds back ends the connection`() {
        let state = state()
        state.headArrived(isLast: false, isHeldBack: true, at: now)
        #expect(state.answerBegan(hasMore: false))
        #expect(state.answerEnded(at: now))
    }

    @Test func `a fault is answered after the requests before it`() {
        let state = state()
        state.headArrived(isLast: false, isHeldBack: false, at: now)
        state.requestEnded(at: now)
        state.inputEnded(isAnswered: true)
        #expect(state.unanswered == 2)
        #expect(!state.answerBegan(hasMore: false))
        #expect(!state.answerEnded(at: now))
        #expect(state.answerBegan(hasMore: false))
        #expect(state.answerEnded(at: now))
    }

    // The attack: a client that asks and reads no answer.
    @Test func `a client that takes nothing of its answers is given up`() {
        let state = state()
        state.headArrived(isLast: false, isHeldBack: false, at: now)
        state.requestEnded(at: now)
        state.answersStalled(at: now)
        #expect(state.timerFired(at: after(19)) == .none)
        #expect(state.timerFired(at: after(20)) == .close(.answer))
        state.answersFlowed()
        #expect(state.deadline == nil)
    }
}

/// A state whose mutations can stand in an expectation.
private final class Driven {
    private var state: PipelineState

    init(_ state: PipelineState) { self.state = state }

    var reading: PipelineState.Reading { state.reading }
    var phase: PipelineState.Phase { state.phase }
    var unanswered: Int { state.unanswered }
    var isIdle: Bool { state.isIdle }
    var deadline: NIODeadline? { state.deadline }

    func headArrived(isLast: Bool, isHeldBack: Bool, at now: NIODeadline) {
        state.headArrived(isLast: isLast, isHeldBack: isHeldBack, at: now)
    }

    func bodyArrived(_ count: Int, at now: NIODeadline) -> PipelineState.Action { state.bodyArrived(count, at: now) }
    func requestEnded(at now: NIODeadline) { state.requestEnded(at: now) }
    func inputEnded(isAnswered: Bool) { state.inputEnded(isAnswered: isAnswered) }
    func answerBegan(hasMore: Bool) -> Bool { state.answerBegan(hasMore: hasMore) }
    func answerEnded(at now: NIODeadline) -> Bool { state.answerEnded(at: now) }
    func answersStalled(at now: NIODeadline) { state.answersStalled(at: now) }
    func answersFlowed() { state.answersFlowed() }
    func lastAnswerLeft(at now: NIODeadline) { state.lastAnswerLeft(at: now) }
    func drain(at now: NIODeadline) { state.drain(at: now) }
    func timerFired(at now: NIODeadline) -> PipelineState.Action { state.timerFired(at: now) }
}
