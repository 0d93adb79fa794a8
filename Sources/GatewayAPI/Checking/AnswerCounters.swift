import CoreMetrics
import Keys

/// The counters of answers to gateways, by reason.
///
/// Their handles are created once.
package struct AnswerCounters: Sendable {
    private let counters: [String: Counter]
    /// The counter of most answers, which no text must be hashed to find.
    private let valid: Counter?

    /// The reason under which refusals for a suspended or archived workspace count.
    ///
    /// The gateway reads the code of the verdict, which is also that of a workspace that is unavailable. An operator must tell an order of
    /// somebody from an outage.
    private static let workspaceSuspended = "workspace_suspended"

    init(_ factory: any MetricsFactory) {
        let others = ["no_token", CheckOutcome.invalidRequest, "gateway_credential", Self.workspaceSuspended]
        counters = Dictionary(
            uniqueKeysWithValues: (VerdictCode.allCases.map(\.rawValue) + others)
                .map { reason in
                    (
                        reason,
                        Counter(
                            label: "mortise_gateway_answers_total",
                            dimensions: [("reason", reason)],
                            factory: factory
                        )
                    )
                }
        )
        valid = counters[VerdictCode.valid.rawValue]
    }

    func count(_ outcome: CheckOutcome) {
        switch outcome {
        case .valid: valid?.increment()
        case .refused(.workspaceUnavailable, _, _): count(Self.workspaceSuspended)
        default: count(outcome.reason)
        }
    }

    func count(_ reason: String) { counters[reason]?.increment() }

    /// The texts of the `HELP` lines.
    package static let help = [
        "mortise_gateway_answers_total":
            "Answers to gateways, by the reason in X-Mortise-Reason; valid where it is absent. "
            + "workspace_suspended is a suspended or archived workspace, workspace_unavailable one that is unavailable.",
        "mortise_gateway_connections_closed_total":
            "Connections of gateways that the server closed or refused, by reason: idle, head, body, answer, room, fault or refused.",
    ]
}
