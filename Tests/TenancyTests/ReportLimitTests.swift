import FoundationEssentials
import Tenancy
import Testing

/// An unavailable database is reported, but not for every request.
@Suite struct ReportLimitTests {
    @Test func `a workspace has one log line in ten seconds, with the number of suppressed lines`() {
        var limit = ReportLimit()
        let (one, other, start) = (UUID(), UUID(), ContinuousClock.now)
        #expect(limit.admit(one, at: start) == 0)
        #expect(limit.admit(other, at: start) == 0)
        for _ in 0..<7 { #expect(limit.admit(one, at: start + .seconds(9)) == nil) }
        #expect(limit.admit(one, at: start + .seconds(10)) == 7)
        #expect(limit.admit(one, at: start + .seconds(21)) == 0)
    }

    @Test func `the number of recorded workspaces is bounded`() {
        var limit = ReportLimit()
        let (first, start) = (UUID(), ContinuousClock.now)
        for _ in 0..<ReportLimit.capacity { _ = limit.admit(UUID(), at: start) }
        #expect(limit.admit(first, at: start) == 0)
        #expect(limit.count == 1)
    }
}
