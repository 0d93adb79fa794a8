package import CoreMetrics
package import Keys

/// The counters of verdicts by code.
///
/// Their handles are created once.
package struct VerdictCounters: Sendable {
    private let counters: [VerdictCode: Counter]
    /// The counter of most verdicts, which no code must be hashed to find: the hash of a code is that of its text.
    private let valid: Counter?

    /// Creates the counters.
    ///
    /// `nil` counts nothing.
    package init(_ metrics: (any MetricsFactory)?) {
        guard let metrics else {
            counters = [:]
            valid = nil
            return
        }
        counters = Dictionary(
            uniqueKeysWithValues: VerdictCode.allCases.map { code in
                (
                    code,
                    Counter(
                        label: "mortise_verifications_total",
                        dimensions: [("code", code.rawValue)],
                        factory: metrics
                    )
                )
            }
        )
        valid = counters[.valid]
    }

    /// Counts a verdict.
    package func count(_ code: VerdictCode) {
        if case .valid = code { valid?.increment(by: 1) } else { counters[code]?.increment(by: 1) }
    }
}
