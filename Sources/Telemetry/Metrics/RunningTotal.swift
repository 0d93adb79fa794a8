package import CoreMetrics
import Locks

/// A counter whose total somebody else keeps.
package final class RunningTotal: Sendable {
    private let counter: FloatingPointCounter
    private let last = Locked(0.0)

    /// Creates a counter.
    package init(_ label: String, _ factory: any MetricsFactory) {
        counter = FloatingPointCounter(label: label, factory: factory)
        counter.increment(by: 0.0)
    }

    /// Sets the total, which never falls.
    package func set(_ total: Double) {
        let growth = last.withLock { last in
            defer { last = max(last, total) }
            return total - last
        }
        if growth > 0 { counter.increment(by: growth) }
    }
}
