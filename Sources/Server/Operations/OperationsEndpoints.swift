package import Endpoints
import HTTPTypes
package import Hummingbird
import JSON
import NIOCore
package import Telemetry

/// The endpoints `/healthz`, `/readyz` and `/metrics`, for operators and their tools.
///
/// They need no credential and show no secret.
package struct OperationsEndpoints: Sendable {
    /// The operations.
    package let table: EndpointTable<Never>

    /// Creates the operations.
    ///
    /// - Parameters:
    ///   - readiness: The readiness of the service.
    ///   - metrics: The figures of `/metrics`. `nil` leaves the operation out.
    ///   - settings: The settings that the operations share with all others.
    package init(readiness: Readiness, metrics: PrometheusRegistry?, settings: EndpointSettings = EndpointSettings()) {
        table = EndpointTable(
            [Self.health, Self.ready(readiness)] + (metrics.map { [Self.metrics($0)] } ?? []),
            security: .open,
            settings: settings
        )
    }

    /// The paths, for `FrontMiddleware`.
    package var mounts: [Mount] { table.endpoints.map { table.mount(at: $0.path.text) } }

    /// Adds the operations to a router.
    package func register(on router: some RouterMethods<MortiseRequestContext>) { table.register(on: router) }

    private static let health = Endpoint<Never>(
        .get,
        "/healthz",
        id: "getHealth",
        tag: "Operations",
        summary: "Check that the process is alive.",
        access: .open,
        query: .ignored,
        responses: [EndpointResult(.ok, "The process is alive.", mediaType: "text/plain")],
        deadline: nil,
        logsAccess: false
    ) { _ in .text("ok\n") }

    private static func ready(_ readiness: Readiness) -> Endpoint<Never> {
        Endpoint(
            .get,
            "/readyz",
            id: "getReadiness",
            tag: "Operations",
            summary: "Check that the service can answer requests.",
            access: .open,
            query: .ignored,
            responses: [
                EndpointResult(
                    .ok,
                    "The service can answer requests. Each line after the first has something that it cannot do at the moment.",
                    mediaType: "text/plain"
                ),
                EndpointResult(
                    .serviceUnavailable,
                    "The service cannot answer requests. Each line has a reason.",
                    mediaType: "text/plain"
                ),
            ],
            deadline: nil,
            logsAccess: false
        ) { _ in
            let report = await readiness.report()
            return .text(report.text, status: report.isReady ? .ok : .serviceUnavailable)
        }
    }

    private static func metrics(_ registry: PrometheusRegistry) -> Endpoint<Never> {
        Endpoint(
            .get,
            "/metrics",
            id: "getMetrics",
            tag: "Operations",
            summary: "Get the metrics in Prometheus text format.",
            access: .open,
            query: .ignored,
            responses: [EndpointResult(.ok, "The metrics.", mediaType: "text/plain")],
            deadline: nil,
            logsAccess: false,
            isCounted: false
        ) { _ in
            EndpointResponse(
                .ok,
                body: ByteBuffer(string: registry.exposition()),
                mediaType: "text/plain; version=0.0.4; charset=utf-8"
            )
        }
    }
}
