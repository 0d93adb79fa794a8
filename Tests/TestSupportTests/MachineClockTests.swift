import Testing

@testable import TestSupport

/// The clock of the limits.
@Suite struct MachineClockTests {
    private let start = ContinuousClock.now

    @Test func `a second counts as less on a slower machine`() {
        var time = MachineTime(start: start)
        #expect(time.advance(to: start + .seconds(1), slowness: 1) == .seconds(1))
        #expect(time.advance(to: start + .seconds(2), slowness: 4) == .milliseconds(1250))
    }

    @Test func `the time in which the whole process stands still does not count`() {
        var time = MachineTime(start: start)
        #expect(time.advance(to: start + .seconds(3600), slowness: 1) == .seconds(1))
        #expect(time.advance(to: start + .seconds(3601), slowness: 1) == .seconds(2))
    }

    @Test func `many readings count as much as few and measure the load seldom`() {
        var (time, measurements, last) = (MachineTime(start: start), 0, Duration.zero)
        func measure() -> Double {
            measurements += 1
            return 2
        }
        for step in 1...10_000 { last = time.advance(to: start + .milliseconds(step), slowness: measure()) }
        #expect(last == .seconds(5))
        #expect(measurements == 200)
    }

    @Test func `the clock of the process goes forward and no faster than real time`() async {
        let (real, machine) = (ContinuousClock.now, MachineClock.shared.now)
        while MachineClock.shared.now == machine { await Task.yield() }
        #expect(MachineClock.shared.now > machine)
        let elapsed = machine.duration(to: MachineClock.shared.now)
        #expect(elapsed <= ContinuousClock.now - real + MachineTime.longestStep)
        #expect(MachineLoad.processorSlowness >= 1)
    }

    @Test(arguments: [
        ("0.20 0.18 0.12 1/80 11206", 2.0, 1.0),
        ("6.00 0.18 0.12 1/80 11206", 2, 3),
        // A load that has just begun is not in the average yet.
        ("0.20 0.18 0.12 9/80 11206", 2, 4.5),
        ("6.00 0.18 0.12 1/80 11206", 1, 6),
        // Other systems have no such file.
        ("", 2, 1), ("none at all here", 2, 1),
    ])
    func `the demand is the number of runnable tasks for each processor`(
        loadAverages: String,
        processors: Double,
        demand: Double
    ) {
        #expect(MachineLoad.demand(loadAverages: loadAverages, processors: processors) == demand)
    }

    @Test(arguments: [
        ("", "", 8.0), ("Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t0-7\n", "max 100000\n", 8),
        ("Cpus_allowed:\t1\n", "", 1), ("Cpus_allowed:\t00000000,00000005\n", "max 100000\n", 2),
        ("Cpus_allowed:\tff\n", "150000 100000\n", 1.5), ("Cpus_allowed:\t0\n", "0 100000\n", 0.1),
    ])
    func `only the processors that the process may use count`(status: String, quota: String, count: Double) {
        #expect(MachineLoad.processors(online: 8, status: status, quota: quota) == count)
    }
}
