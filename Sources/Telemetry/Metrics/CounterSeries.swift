import CoreMetrics
import Synchronization

/// A number that only grows.
final class CounterSeries: CounterHandler, MetricSeries {
    private let value = Atomic<Int64>(0)

    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        value.wrappingAdd(amount, ordering: .relaxed)
    }

    var isUnused: Bool { value.load(ordering: .relaxed) == 0 }

    func reset() { value.store(0, ordering: .relaxed) }

    func write(name: String, labels: String, to text: inout String) {
        MetricSample.write(name, labels, value.load(ordering: .relaxed).description, to: &text)
    }
}
