import Connections
import Endpoints
import GatewayAPI
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
        settings.waits = configuration.databases.requestDeadline
        settings.longWaits = configuration.databases.longRequestDeadline
        settings.stopWaits = configuration.databases.stopDeadline
        settings.limitWaits = { limit, body in try await PostgresDeadline.with(limit) { try await body() } }
        return settings
    }

    /// Returns the service that listens and answers requests.
    func listener(
        _ readiness: Readiness,
        _ onListening: @escaping @Sendable (SocketAddress) async -> Void
    ) -> HTTPListener {
        let (router, front) = router(readiness)
        return HTTPListener(
            configuration.listener,
            certificate: configuration.certificate,
            threads: threads,
            limits: configuration.connections,
            connections: connections,
            responder: router.buildResponder(),
            front: front,
            logger: logger,
            onListening: onListening
        )
    }

    /// Returns the service that listens for gateways, or `nil` if it has no address.
    func gatewayListener(
        _ readiness: Readiness,
        _ onListening: @escaping @Sendable ([SocketAddress]) async -> Void
    ) -> GatewayListener? {
        guard !configuration.gateway.all.isEmpty else { return nil }
        return GatewayListener(
            configuration.gateway,
            eventLoops: threads.eventLoops,
            nextExecutor: { [threads] in threads.next },
            limits: configuration.connections,
            connections: OpenConnections(
                limit: configuration.connections.maximum,
                label: "mortise_gateway_connections_closed_total",
                registry
            ),
            routes: GatewayRoutes(authorizer) { await readiness.report() },
            logger: logger,
            onListening: onListening
        )
    }

    private func router(_ readiness: Readiness) -> (Router<MortiseRequestContext>, front: FrontMiddleware) {
        let operations = OperationsEndpoints(
            readiness: readiness,
            metrics: configuration.publishesOperations && configuration.operations == nil ? registry : nil,
            settings: Self.endpointSettings(configuration, registry)
        )
        let mounts = surfaces.flatMap(\.mounts) + operations.mounts
        let checks = authorizer.mount { request, context in
            guard let native = mounts.first(where: { $0.prefix == "/v1" }) else {
                return ErrorRenderer.problemJSON.render(.noOperation, context)
            }
            return await native.respond(request, context)
        }
        let router = Router(context: MortiseRequestContext.self)
        let front = FrontMiddleware(
            mounts: mounts + [checks],
            firstSteps: surfaces.flatMap(\.table.firstSteps),
            redact: Redaction.redact,
            tracer: configuration.tracer
        )
        router.add(middleware: front)
        for surface in surfaces { surface.register(on: router) }
        operations.register(on: router)
        return (router, front)
    }

    /// The readiness of the service, which all listeners share.
    func makeReadiness() -> Readiness {
        let databases = platform.databases
        return Readiness(clock: configuration.clock) { [draining] in
            if draining.hasBegun { return ["the server is shutting down"] }
            do {
                try await databases.noting(nil) { try await databases.control.probe() }
                // Without a lease, no admin key and no key of the primary cluster is accepted.
                guard try await databases.join(waitingAtMost: Self.leasePatience) else {
                    return ["the lease on the control database's server cannot be renewed, so keys are not verified"]
                }
                return []
            } catch {
                return ["the control database is unreachable"]
            }
        } limits: {
            databases.refusalsOfChanges
        }
    }

    /// The maximum wait for a lease, which a verification waits for, too.
    private static let leasePatience = Duration.seconds(1)
}
