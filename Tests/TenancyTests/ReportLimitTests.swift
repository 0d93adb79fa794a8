import FoundationEssentials
import Tenancy
import Testing

/// A database that is away is reported, and not with every request.
@Suite struct ReportLimitTests {
    @Test func `a workspace has one line in ten seconds, which counts the suppressed ones`() {
        var limit = ReportLimit()
        let (one, other, start) = (UUID(), UUID(), ContinuousClock.now)
        #expect(limit.admit(one, at: start) == 0)
        #expect(limit.admit(other, at: start) == 0)
        for _ in 0..<7 { #expect(limit.admit(one, at: start + .seconds(9)) == nil) }
        #expect(limit.admit(one, at: start + .seconds(10)) == 7)
        #expect(limit.admit(one, at: start + .seconds(21)) == 0)
    }

    @Test func `the number of remembered workspaces is bounded`() {
        var limit = ReportLimit()
        let (first, start) = (UUID(), ContinuousClock.now)
        for _ in 0..<ReportLimit.capacity { _ = limit.admit(UUID(), at: start) }
        #expect(limit.admit(first, at: start) == 0)
        #expect(limit.count == 1)
    }
}
