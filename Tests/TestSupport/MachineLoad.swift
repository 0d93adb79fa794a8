import FoundationEssentials

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Measurements of what this machine can do for the tests.
enum MachineLoad {
    /// The time that `work()` takes on the reference machine, in a debug build: a virtual machine with Intel Xeon processors at 2.3 GHz.
    static let reference = Duration.milliseconds(13)

    /// The number of processors that this process may use, which can be a fraction in a container.
    static let processors: Double = {
        let online = ProcessInfo.processInfo.activeProcessorCount
        return processors(online: online, status: text("/proc/self/status"), quota: text("/sys/fs/cgroup/cpu.max"))
    }()

    /// The ratio between the time that work takes on an idle processor of this machine and on the reference machine; 1 at least.
    static let processorSlowness: Double = {
        // The best of three: caches are cold at first. Processor time, so that the load of the machine does not count here.
        let best = (0..<3).map { _ in processorTime(of: work) }.min() ?? reference
        return max(1, best / reference)
    }()

    /// The ratio between the time that work takes here at this moment and on the idle reference machine; 1 at least.
    static var slowness: Double {
        processorSlowness * demand(loadAverages: text("/proc/loadavg"), processors: processors)
    }

    /// Returns the number of processors that a process may use.
    ///
    /// - Parameters:
    ///   - online: The number of processors of the machine.
    ///   - status: The content of Linux's `/proc/self/status`, where `taskset` and containers show in "Cpus_allowed: 3", a mask in hex.
    ///   - quota: The content of `cpu.max` of the process's control group: "50000 100000" is half a processor, "max 100000" all of them.
    /// - Returns: The number; 0.1 at least.
    static func processors(online: Int, status: String, quota: String) -> Double {
        var count = Double(online)
        if let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed:") }) {
            let allowed = line.dropFirst("Cpus_allowed:".count).compactMap(\.hexDigitValue)
                .reduce(0) { $0 + $1.nonzeroBitCount }
            if allowed > 0 { count = min(count, Double(allowed)) }
        }
        let times = quota.split(whereSeparator: \.isWhitespace).map { Double($0) }
        if times.count == 2, let share = times[0], let period = times[1], period > 0 {
            count = min(count, share / period)
        }
        return max(0.1, count)
    }

    /// Returns the number of tasks that want to run for each processor.
    ///
    /// - Parameters:
    ///   - loadAverages: The content of Linux's `/proc/loadavg`, such as "0.20 0.18 0.12 1/80 11206" (proc_loadavg(5)). Any other text
    ///     means that the load is unknown, which counts as 1.
    ///   - processors: The number of processors.
    /// - Returns: The ratio; 1 at least.
    static func demand(loadAverages: String, processors: Double) -> Double {
        let fields = loadAverages.split(whereSeparator: \.isWhitespace)
        guard fields.count >= 4, let average = Double(fields[0]) else { return 1 }
        // The average follows a change within a minute, and also counts tasks that wait for the disk. The number of runnable tasks is
        // what there is now. The larger one counts, because a limit that is too long costs only time.
        let runnable = fields[3].split(separator: "/").first.flatMap { Double($0) } ?? 0
        return max(1, max(average, runnable) / processors)
    }

    private static func text(_ path: String) -> String {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    private static func processorTime(of work: () -> Void) -> Duration {
        func now() -> Duration {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
        }
        let start = now()
        work()
        return now() - start
    }

    private static func work() {
        var generator = SplitMix64(seed: 1)
        var sum: UInt64 = 0
        for _ in 0..<2_000_000 { sum &+= generator.next() }
        // Uses the sum, so that no compiler leaves the loop out.
        precondition(sum != 1)
    }
}
