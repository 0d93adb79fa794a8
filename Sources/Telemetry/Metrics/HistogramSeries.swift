import CoreMetrics
import Synchronization

/// A histogram: values counted by size.
///
/// Each bucket is an atomic number. A read sums the buckets up.
final class HistogramSeries: TimerHandler, RecorderHandler, MetricSeries {
    private final class Bucket: Sendable {
        let count = Atomic<Int64>(0)
    }

    private let bounds: [Double]
    private let buckets: [Bucket]
    private let sum = AtomicDouble()

    private init(bounds: [Double]) {
        self.bounds = bounds
        buckets = (0...bounds.count).map { _ in Bucket() }
    }

    /// Returns a histogram of durations from 100 microseconds to 10 seconds.
    static func ofSeconds() -> HistogramSeries {
        HistogramSeries(bounds: [
            0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
        ])
    }

    /// Returns a histogram of sizes and numbers, with powers of four from 1 to about a million.
    static func ofValues() -> HistogramSeries {
        HistogramSeries(bounds: [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576])
    }

    var isUnused: Bool { buckets.allSatisfy { $0.count.load(ordering: .relaxed) == 0 } }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1_000_000_000) }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard value.isFinite else { return }
        var index = 0
        while index < bounds.count, value > bounds[index] { index += 1 }
        buckets[index].count.wrappingAdd(1, ordering: .relaxed)
        sum.add(value)
    }

    func write(name: String, labels: String, to text: inout String) {
        let separator = labels.isEmpty ? "" : ","
        var total: Int64 = 0
        for (index, bucket) in buckets.enumerated() {
            total += bucket.count.load(ordering: .relaxed)
            let bound = index < bounds.count ? MetricSample.number(bounds[index]) : "+Inf"
            MetricSample.write("\(name)_bucket", "\(labels)\(separator)le=\"\(bound)\"", total.description, to: &text)
        }
        MetricSample.write("\(name)_sum", labels, MetricSample.number(sum.load()), to: &text)
        MetricSample.write("\(name)_count", labels, total.description, to: &text)
    }
}
