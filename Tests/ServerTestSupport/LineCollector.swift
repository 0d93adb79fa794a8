import Locks
import Telemetry

/// Collects log lines.
package final class LineCollector: LogSink {
    private let stored = Locked<[String]>([])

    package init() {}

    package var lines: [String] { stored.withLock { $0 } }

    package func write(_ line: [UInt8]) {
        stored.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
    }
}
