import Keys
import Server
import Testing

/// A node tells its operator that its clock is wrong.
@Suite struct ClockWatchTests {
    private static func time(_ seconds: Int64) -> Timestamp {
        Timestamp(microsecondsSinceUnixEpoch: (1_800_000_000 + seconds) * 1_000_000)
    }

    private func compare(_ watch: inout ClockWatch, _ before: Int64, _ theirs: Int64, _ after: Int64)
        -> ClockWatch.Change?
    {
        watch.compare(before: Self.time(before), theirs: Self.time(theirs), after: Self.time(after))
    }

    @Test(arguments: [10_800, -10_800] as [Int64])
    func `a difference is reported once, and once when the clocks agree again`(seconds: Int64) {
        var watch = ClockWatch()
        #expect(compare(&watch, 0, 0, 1) == nil)
        #expect(compare(&watch, seconds, 0, seconds) == .differs(ahead: seconds * 1_000_000))
        for _ in 0..<10 { #expect(compare(&watch, seconds, 0, seconds) == nil) }
        #expect(compare(&watch, 0, 0, 0) == .agrees)
        #expect(compare(&watch, 0, 0, 0) == nil)
    }

    // A database that is slow to answer is no reason to doubt a clock.
    @Test func `the time of the comparison is no difference`() {
        var watch = ClockWatch()
        for theirs: Int64 in [-5, 0, 30, 60, 65] { #expect(compare(&watch, 0, theirs, 60) == nil) }
        #expect(compare(&watch, 0, 66, 60) == .differs(ahead: -6_000_000))
    }
}
