import Testing

@testable import Fence

/// The durations of a server's leases.
@Suite struct FenceTimesTests {
    // Without a lease on the control database's server no key is verified, so each pause after PostgreSQL's return is an outage.
    @Test func `a server that is back is asked for a lease within half a second, however long it was away`() {
        for failures in 1...1000 { #expect(FenceTimes.standard.pause(after: failures) <= .milliseconds(500)) }
    }
}
