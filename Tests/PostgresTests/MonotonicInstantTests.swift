import Postgres
import Testing

/// The instants to which deadlines refer.
@Suite struct MonotonicInstantTests {
    @Test func `instants are ordered, and their difference is what was added`() {
        let start = MonotonicInstant.now
        let later = start + .seconds(90) + .nanoseconds(7)
        #expect(later > start)
        #expect(later - start == .seconds(90) + .nanoseconds(7))
        #expect(start + .milliseconds(-5) < start)
        #expect(MonotonicInstant.now >= start)
    }

    // A caller that wants no deadline passes a very long one.
    @Test func `a deadline beyond all instants never passes, and one before all instants has passed`() {
        let start = MonotonicInstant.now
        for endless in [Duration.seconds(Int64.max), .seconds(Int64.max / 1_000_000_000)] {
            #expect(start + endless > start + .seconds(1_000_000))
        }
        #expect(start + .seconds(Int64.min) < start)
    }
}
