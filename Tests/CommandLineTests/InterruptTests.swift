import Glibc
import Testing
import mortise

/// The consequences of signals that a command receives.
@Suite struct InterruptTests {
    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func `a signal ends a command that waits for no server, and cancels a request`(_ signal: CInt) {
        var state = InterruptState()
        state.begin(.request)
        state.end()
        let idle = state
        var atOnce = idle
        #expect(atOnce.received(signal) == .endProcess)
        state.begin(.request)
        #expect(state.received(signal) == .cancelWork)
        state.end()
        state.begin(.request)
        #expect(state.received(SIGTERM) == .cancelWork)
    }

    @Test func `the second signal for a request ends the process`() {
        var state = InterruptState()
        state.begin(.request)
        #expect(state.received(SIGINT) == .cancelWork)
        #expect(state.received(SIGTERM) == .endProcess)
    }

    @Test func `a removal outlives a first signal, and a second one from a person cancels it`() {
        var state = InterruptState()
        state.begin(.cleanUp)
        #expect(state.received(SIGTERM) == .none)
        #expect(state.received(SIGTERM) == .cancelWork)
        #expect(state.received(SIGINT) == .endProcess)
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func `the end of a terminal ends nothing that a signal has begun`(_ first: CInt) {
        var state = InterruptState()
        state.begin(.request)
        #expect(state.received(first) == .cancelWork)
        #expect(state.received(SIGHUP) == .none)
        state.end()
        state.begin(.cleanUp)
        #expect(state.received(SIGHUP) == .none)
        state.end()
        #expect(state.received(SIGHUP) == .none)
    }
}
