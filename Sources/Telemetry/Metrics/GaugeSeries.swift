import CoreMetrics

/// A number that goes up and down, or a counter that grows by fractions.
final class GaugeSeries: MeterHandler, RecorderHandler, FloatingPointCounterHandler, MetricSeries {
    private let value = AtomicDouble()

    var isUnused: Bool { false }

    func set(_ value: Int64) { self.value.store(Double(value)) }
    func set(_ value: Double) { self.value.store(value) }
    func record(_ value: Int64) { self.value.store(Double(value)) }
    func record(_ value: Double) { self.value.store(value) }
    func reset() { value.store(0) }

    func increment(by amount: Double) {
        guard amount.isFinite else { return }
        value.add(amount)
    }

    func decrement(by amount: Double) { increment(by: -amount) }

    func write(name: String, labels: String, to text: inout String) {
        MetricSample.write(name, labels, MetricSample.number(value.load()), to: &text)
    }
}
