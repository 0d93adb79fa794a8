package import CoreMetrics
package import Keys

/// The counters of verdicts by code.
///
/// Their handles are created once.
package struct VerdictCounters: Sendable {
    private let counters: [VerdictCode: Counter]

    /// Creates the counters.
    ///
    /// `nil` counts nothing.
    package init(_ metrics: (any MetricsFactory)?) {
        guard let metrics else {
            counters = [:]
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
    }

    /// Counts a verdict.
    package func count(_ code: VerdictCode) { counters[code]?.increment(by: 1) }
}
