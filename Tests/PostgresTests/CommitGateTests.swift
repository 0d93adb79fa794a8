import Testing

@testable import Postgres

@Suite struct CommitGateTests {
    // A tenant's pool makes room for another one while its commits wait for a standby that is gone, again and again.
    @Test func `commits of a pool that was closed count until they end`() {
        let all = CommitGate(limit: 1)
        let closed = CommitGate(limit: 4, within: all)
        closed.enter()
        let next = CommitGate(limit: 4, within: all)
        #expect(closed.refusal?.code == .queueFull && next.refusal?.code == .queueFull)
        closed.leave()
        #expect(closed.refusal == nil && next.refusal == nil)
    }

    @Test func `a pool without others has a limit of its own`() {
        let gate = CommitGate(limit: 1)
        #expect(gate.refusal == nil)
        gate.enter()
        #expect(gate.refusal?.code == .queueFull)
    }
}
