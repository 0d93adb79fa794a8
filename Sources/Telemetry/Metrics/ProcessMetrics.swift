import CoreMetrics

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The figures of the process under the names that Prometheus' own clients use.
///
/// They come from `/proc`. On a system without it there are none.
package struct ProcessMetrics: Sendable {
    private let cpu: RunningTotal
    private let resident: Meter
    private let virtual: Meter
    private let descriptors: Meter
    private let ticks: Double
    private let page: Int64

    /// Creates the figures, and sets those that do not change.
    package init(_ registry: PrometheusRegistry) {
        registry.describe(Self.help)
        cpu = RunningTotal("process_cpu_seconds_total", registry)
        resident = Meter(label: "process_resident_memory_bytes", factory: registry)
        virtual = Meter(label: "process_virtual_memory_bytes", factory: registry)
        descriptors = Meter(label: "process_open_fds", factory: registry)
        ticks = Double(max(sysconf(CInt(_SC_CLK_TCK)), 1))
        page = Int64(sysconf(CInt(_SC_PAGESIZE)))
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            Meter(label: "process_max_fds", factory: registry).set(Int64(clamping: limit.rlim_cur))
        }
        if let start = startTime() {
            Meter(label: "process_start_time_seconds", factory: registry).set(start)
        }
        update()
    }

    /// Reads the figures.
    package func update() {
        guard let fields = Self.fields else { return }
        // proc(5): utime and stime are the fields 14 and 15, vsize and rss 23 and 24. The array begins with the field 3.
        cpu.set((Double(fields[11]) + Double(fields[12])) / ticks)
        virtual.set(fields[20])
        resident.set(fields[21] * page)
        if let count = Self.openDescriptors { descriptors.set(Int64(count)) }
    }

    /// The time of the process's start since 1970 in seconds.
    private func startTime() -> Double? {
        guard let fields = Self.fields, let boot = Self.bootTime else { return nil }
        return boot + Double(fields[19]) / ticks
    }

    /// The fields of `/proc/self/stat` behind the name of the process.
    ///
    /// The first one is a letter, and has the value 0.
    private static var fields: [Int64]? {
        // The name can hold blanks and brackets, so the last bracket counts.
        guard let line = text(of: "/proc/self/stat"), let end = line.lastIndex(of: ")") else { return nil }
        let fields = line[line.index(after: end)...].split(separator: " ").map { Int64($0) ?? 0 }
        return fields.count > 21 ? fields : nil
    }

    private static var bootTime: Double? {
        for line in (text(of: "/proc/stat") ?? "").split(separator: "\n") where line.hasPrefix("btime ") {
            return Double(line.dropFirst(6))
        }
        return nil
    }

    private static var openDescriptors: Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while let entry = readdir(folder) {
            // Not the two entries of every folder.
            if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
        }
        // The folder itself is open meanwhile.
        return count - 1
    }

    private static func text(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(descriptor, &part, part.count)
            guard count > 0 else { break }
            bytes += part[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let help = [
        "process_cpu_seconds_total": "Total user and system CPU time spent in seconds.",
        "process_resident_memory_bytes": "Resident memory size in bytes.",
        "process_virtual_memory_bytes": "Virtual memory size in bytes.",
        "process_open_fds": "Number of open file descriptors.",
        "process_max_fds": "Maximum number of open file descriptors.",
        "process_start_time_seconds": "Start time of the process since unix epoch in seconds.",
    ]
}
