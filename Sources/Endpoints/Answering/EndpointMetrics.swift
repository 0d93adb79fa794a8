import CoreMetrics
import HTTPTypes

/// The request counters and the timer of one endpoint.
///
/// The handles are created once, because a look-up by labels costs more than an increment.
package struct EndpointMetrics: Sendable {
    /// The texts of the `HELP` lines.
    package static let help = [
        "mortise_http_requests_total": "Answered requests, by operation and status class.",
        "mortise_http_request_duration_seconds":
            "Time from the head of a request to its answer in seconds, by operation.",
    ]

    /// The counters of the status classes, from 1xx to 5xx.
    private let counters: [Counter]
    private let timer: CoreMetrics.Timer

    init(operationID: String, factory: any MetricsFactory) {
        counters = (1...5)
            .map { status in
                Counter(
                    label: "mortise_http_requests_total",
                    dimensions: [("operation", operationID), ("status", "\(status)xx")],
                    factory: factory
                )
            }
        timer = CoreMetrics.Timer(
            label: "mortise_http_request_duration_seconds",
            dimensions: [("operation", operationID)],
            factory: factory
        )
    }

    func record(_ status: HTTPResponse.Status, nanoseconds: Int64) {
        counters[min(max(status.code / 100, 1), 5) - 1].increment(by: 1)
        timer.recordNanoseconds(nanoseconds)
    }
}

extension EndpointSettings {
    /// Counts a request that no endpoint answered.
    func countUnmatched(_ problem: Problem) {
        guard let metrics else { return }
        Counter(
            label: "mortise_http_requests_total",
            dimensions: [("operation", "unmatched"), ("status", "\(problem.kind.status.code / 100)xx")],
            factory: metrics
        )
        .increment(by: 1)
    }
}
