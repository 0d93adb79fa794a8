import FoundationEssentials
import Tenancy
import Testing

/// A fault of a database is reported when it begins and when it is over, but not for every request.
@Suite struct FaultEpisodesTests {
    private let start = ContinuousClock.now
    private let fault = DatabaseFault(.unusable, at: UUID())

    @Test func `a fault is reported once, and once when it is over`() {
        var episodes = FaultEpisodes()
        #expect(episodes.failed(fault, at: start) == 0)
        for second in 1...100 { #expect(episodes.failed(fault, at: start + .seconds(second)) == nil) }
        #expect(episodes.openCount == 1)
        let past = episodes.worked(fault, at: start + .seconds(105))
        #expect(past?.lasted == .seconds(105) && past?.failures == 101)
        #expect(episodes.openCount == 0)
        #expect(episodes.worked(fault, at: start + .seconds(106)) == nil)
        // The next one is a fault of its own.
        #expect(episodes.failed(fault, at: start + .seconds(120)) == 0)
        #expect(episodes.worked(fault, at: start + .seconds(130)) != nil)
    }

    @Test func `each kind of fault and each place is reported`() {
        var episodes = FaultEpisodes()
        for other in [fault, DatabaseFault(.missing, at: fault.place), DatabaseFault(.unusable, at: UUID())] {
            #expect(episodes.failed(other, at: start) == 0)
        }
        #expect(episodes.openCount == 3)
        #expect(episodes.isOpen(.missing, within: .seconds(60), at: start + .seconds(59)))
        #expect(!episodes.isOpen(.missing, within: .seconds(60), at: start + .seconds(60)))
        #expect(!episodes.isOpen(.diskFull, within: .seconds(60), at: start))
        #expect(episodes.worked(fault, at: start + .seconds(60)) != nil)
        #expect(episodes.openCount == 2)
    }

    // One of two connections broke, so every second request fails.
    @Test func `a fault that comes and goes has no line for each time`() {
        var episodes = FaultEpisodes()
        #expect(episodes.failed(fault, at: start) == 0)
        for second in 1...60 {
            #expect(episodes.worked(fault, at: start + .seconds(second)) == nil)
            #expect(episodes.failed(fault, at: start + .seconds(second)) == nil)
        }
        #expect(episodes.worked(fault, at: start + .seconds(65))?.failures == 61)
    }

    @Test func `a fault that comes back too soon is reported later, with the failures before`() {
        var episodes = FaultEpisodes()
        #expect(episodes.failed(fault, at: start) == 0)
        #expect(episodes.worked(fault, at: start + .seconds(5)) != nil)
        for _ in 0..<7 { #expect(episodes.failed(fault, at: start + .seconds(6)) == nil) }
        #expect(episodes.openCount == 1)
        #expect(episodes.failed(fault, at: start + .seconds(10)) == 7)
        // A fault whose beginning was not reported has no end in the log either.
        var others = FaultEpisodes()
        #expect(others.failed(fault, at: start) == 0)
        #expect(others.worked(fault, at: start + .seconds(5)) != nil)
        #expect(others.failed(fault, at: start + .seconds(6)) == nil)
        #expect(others.worked(fault, at: start + .seconds(60)) == nil)
        #expect(others.openCount == 0)
    }

    @Test func `the number of remembered faults is bounded`() {
        var episodes = FaultEpisodes()
        for _ in 0...FaultEpisodes.capacity { _ = episodes.failed(DatabaseFault(.unusable, at: UUID()), at: start) }
        #expect(episodes.count == 1)
        #expect(episodes.openCount == 1)
    }
}
