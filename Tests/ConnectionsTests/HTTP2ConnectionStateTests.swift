import Connections
import NIOCore
import NIOHTTP2
import Testing

/// The life of a connection of HTTP/2, without I/O.
@Suite struct HTTP2ConnectionStateTests {
    private static let limits: ConnectionLimits = {
        var limits = ConnectionLimits()
        limits.head = .seconds(10)
        limits.idle = .seconds(60)
        limits.drainingIdle = .seconds(1)
        limits.linger = .seconds(2)
        limits.answer = .seconds(20)
        return limits
    }()

    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func after(_ seconds: Int64) -> NIODeadline { start + .seconds(seconds) }

    private func state() -> Driven { Driven(HTTP2ConnectionState(Self.limits, since: start)) }

    @Test func `a connection without a stream is closed, and one with a stream waits for it`() {
        let state = state()
        #expect(state.isIdle && state.deadline == after(10))
        #expect(state.timerFired(at: after(9)) == (.none, nil))
        #expect(state.timerFired(at: after(10)) == (.close, .head))
        state.streamOpened(1)
        #expect(!state.isIdle && state.deadline == nil)
        #expect(state.timerFired(at: after(1000)) == (.none, nil))
    }

    @Test func `an idle connection ends with the name of its last stream`() {
        let state = state()
        state.streamOpened(1)
        state.streamOpened(5)
        #expect(state.streamClosed(1, at: after(1)) == .none)
        #expect(state.streamClosed(5, at: after(2)) == .none)
        #expect(state.deadline == after(62))
        #expect(state.timerFired(at: after(62)) == (.announce, .idle))
        #expect(state.deadline == after(63))
        #expect(state.announcementArrived() == .conclude(last: 5))
        state.finished(at: after(62))
        #expect(state.deadline == after(64))
        #expect(state.timerFired(at: after(64)) == (.close, nil))
    }

    // The attack: malformed requests, whose streams end and were never opened, and which would keep the connection for ever.
    @Test func `the end of a stream that was never opened changes nothing`() {
        let state = state()
        #expect(state.streamClosed(1, at: after(1)) == .none)
        #expect(state.isIdle && state.deadline == after(10))
        state.streamOpened(3)
        #expect(state.streamClosed(5, at: after(2)) == .none)
        #expect(!state.isIdle)
        #expect(state.streamClosed(3, at: after(3)) == .none)
        #expect(state.isIdle && state.deadline == after(63))
        #expect(state.inputEnded() == .close)
    }

    // The fault: a stream that was on its way when the server said that it stops is lost.
    @Test func `a stream that arrives before the client knows of the end is answered`() {
        let state = state()
        state.streamOpened(1)
        #expect(state.drain(at: after(1)) == .announce)
        #expect(state.drain(at: after(1)) == .none)
        state.streamOpened(3)
        #expect(state.streamClosed(1, at: after(1)) == .none)
        #expect(state.announcementArrived() == .conclude(last: 3))
        #expect(state.announcementArrived() == .none)
        #expect(state.phase == .ending && state.deadline == nil)
        #expect(state.streamClosed(3, at: after(2)) == .finish)
    }

    @Test func `a client that does not answer the announcement has a moment for its streams`() {
        let state = state()
        state.streamOpened(1)
        #expect(state.drain(at: after(1)) == .announce)
        #expect(state.streamClosed(1, at: after(1)) == .none)
        #expect(state.timerFired(at: after(1)) == (.none, nil))
        #expect(state.timerFired(at: after(2)) == (.conclude(last: 1), nil))
    }

    @Test func `an idle connection makes room, and a busy one does not`() {
        let state = state()
        state.streamOpened(1)
        #expect(state.makeRoom() == .none)
        #expect(state.streamClosed(1, at: after(1)) == .none)
        #expect(state.makeRoom() == .conclude(last: 1))
    }

    @Test func `a client that takes nothing is closed, and one that sends nothing more gets its answers`() {
        let stalled = state()
        stalled.streamOpened(1)
        stalled.answersStalled(at: after(1))
        #expect(stalled.deadline == after(21))
        stalled.answersFlowed()
        #expect(stalled.deadline == nil)
        stalled.answersStalled(at: after(2))
        #expect(stalled.timerFired(at: after(22)) == (.close, .answer))
        let ended = state()
        ended.streamOpened(1)
        #expect(ended.inputEnded() == .none)
        #expect(ended.streamClosed(1, at: after(1)) == .finish)
        let idle = state()
        #expect(idle.inputEnded() == .close)
    }
}

/// A state whose changes an expectation can contain.
private final class Driven {
    private var state: HTTP2ConnectionState

    init(_ state: HTTP2ConnectionState) { self.state = state }

    var phase: HTTP2ConnectionState.Phase { state.phase }
    var isIdle: Bool { state.isIdle }
    var deadline: NIODeadline? { state.deadline }

    func streamOpened(_ id: HTTP2StreamID) { state.streamOpened(id) }
    func streamClosed(_ id: HTTP2StreamID, at now: NIODeadline) -> HTTP2ConnectionState.Action {
        state.streamClosed(id, at: now)
    }
    func answersStalled(at now: NIODeadline) { state.answersStalled(at: now) }
    func answersFlowed() { state.answersFlowed() }
    func drain(at now: NIODeadline) -> HTTP2ConnectionState.Action { state.drain(at: now) }
    func makeRoom() -> HTTP2ConnectionState.Action { state.makeRoom() }
    func announcementArrived() -> HTTP2ConnectionState.Action { state.announcementArrived() }
    func inputEnded() -> HTTP2ConnectionState.Action { state.inputEnded() }
    func finished(at now: NIODeadline) { state.finished(at: now) }
    func timerFired(at now: NIODeadline) -> (HTTP2ConnectionState.Action, CloseReason?) {
        let (action, reason) = state.timerFired(at: now)
        return (action, reason)
    }
}
