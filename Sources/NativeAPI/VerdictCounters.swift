import CoreMetrics
import Keys

/// Counts verdicts by code, with handles that are made once.
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
