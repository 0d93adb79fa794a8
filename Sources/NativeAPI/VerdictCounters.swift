import CoreMetrics
import Keys

/// The counters of verdicts by code.
///
/// Their handles are created once.
struct VerdictCounters: Sendable {
    private let counters: [VerdictCode: Counter]

    init(_ metrics: (any MetricsFactory)?) {
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

    func count(_ code: VerdictCode) { counters[code]?.increment(by: 1) }
}
