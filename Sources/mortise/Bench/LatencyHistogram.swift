/// Durations, counted in buckets that are at most 1 % wide.
package struct LatencyHistogram: Sendable {
    /// The number of buckets for each power of two.
    private static let resolution = 128
    private static let resolutionBits = 7
    /// Durations from here on, about 18 minutes, share the last bucket.
    private static let largest: Int64 = 1 << 40

    private var buckets = [UInt32](repeating: 0, count: Self.index(of: Self.largest) + 1)
    /// The number of durations.
    package private(set) var count = 0
    private var maximum: Int64 = 0

    /// Creates an empty histogram.
    package init() {}

    /// Counts a duration, in nanoseconds.
    package mutating func record(_ nanoseconds: Int64) {
        let value = min(max(nanoseconds, 0), Self.largest)
        buckets[Self.index(of: value)] += 1
        count += 1
        maximum = max(maximum, value)
    }

    /// Adds the durations of another histogram.
    package mutating func merge(_ other: LatencyHistogram) {
        for index in buckets.indices { buckets[index] += other.buckets[index] }
        count += other.count
        maximum = max(maximum, other.maximum)
    }

    /// Returns the duration that a share of all durations does not exceed.
    ///
    /// - Parameter share: The share, from 0 to 1. 1 returns the longest duration exactly.
    /// - Returns: The duration in nanoseconds, at most 1 % too long. 0 if no duration was counted.
    package func quantile(_ share: Double) -> Int64 {
        guard count > 0, share < 1 else { return maximum }
        let rank = max(1, Int((Double(count) * share).rounded(.up)))
        var seen = 0
        for (index, number) in buckets.enumerated() {
            seen += Int(number)
            if seen >= rank { return min(Self.end(of: index), maximum) }
        }
        return maximum
    }

    /// Returns the bucket of a duration.
    ///
    /// Short durations have buckets of one nanosecond. Longer ones keep their seven highest bits.
    private static func index(of value: Int64) -> Int {
        guard value >= Int64(resolution) else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount - resolutionBits
        return exponent * resolution + Int(value >> Int64(exponent))
    }

    /// Returns the longest duration of a bucket.
    private static func end(of index: Int) -> Int64 {
        guard index >= 2 * resolution else { return Int64(index) }
        let exponent = index / resolution - 1
        return (Int64(index - exponent * resolution + 1) << Int64(exponent)) - 1
    }
}
