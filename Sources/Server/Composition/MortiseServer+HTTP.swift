import Connections
import Endpoints
import Hummingbird
import Keys
import Logging
import NIOCore
import Postgres
import Service
import Surfaces
import Telemetry
import Tenancy

extension MortiseServer {
    /// Returns the settings that the endpoints of all surfaces share.
    static func endpointSettings(
        _ configuration: ServerConfiguration,
        _ registry: PrometheusRegistry
    ) -> EndpointSettings {
        var settings = EndpointSettings(
            bodyDeadline: configuration.connections.body,
            clock: configuration.clock,
            accessLog: configuration.accessLog,
            redact: Redaction.redact,
            metrics: registry
        )
        settings.clientAddress = { [clients = configuration.clients] in clients.address($0, $1)?.description }
        return settings
    }

    /// Returns the service that listens and answers requests.
    func listener(_ onListening: @escaping @Sendable (SocketAddress) async -> Void) -> HTTPListener {
        HTTPListener(
            configuration.listener,
            threads: threads,
            limits: configuration.connections,
            connections: connections,
            responder: router().buildResponder(),
            logger: logger,
            onListening: onListening
        )
    }

    private func router() -> Router<MortiseRequestContext> {
        let operations = OperationsEndpoints(
            readiness: Readiness(clock: configuration.clock, check: readiness),
            metrics: configuration.publishesOperations ? registry : nil,
            settings: Self.endpointSettings(configuration, registry)
        )
        let router = Router(context: MortiseRequestContext.self)
        router.add(
            middleware: FrontMiddleware(
                mounts: surfaces.flatMap(\.mounts) + operations.mounts,
                redact: Redaction.redact,
                tracer: configuration.tracer
            )
        )
        for surface in surfaces { surface.register(on: router) }
        operations.register(on: router)
        return router
    }

    private var readiness: Readiness.Check {
        { [platform, draining] in
            if draining.hasBegun { return ["the server is shutting down"] }
            do {
                try await platform.databases.control.probe()
                return []
            } catch {
                return ["the control database is unreachable"]
            }
        }
    }
}
