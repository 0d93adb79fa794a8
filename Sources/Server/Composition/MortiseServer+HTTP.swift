import Endpoints
import Hummingbird
import HummingbirdCore
import Keys
import Logging
import NIOCore
import Postgres
import Service
import ServiceLifecycle
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
    func application(
        _ onListening: @escaping @Sendable (SocketAddress) async -> Void
    ) -> some ServiceLifecycle.Service {
        let address: BindAddress =
            switch configuration.listener {
            case .tcp(let host, let port): .hostname(host, port: port)
            case .unixSocket(let path): .unixDomainSocket(path: path)
            }
        return Application(
            router: router(),
            server: HTTPServerBuilder { [threads, configuration, connections] responder in
                threads.channel(
                    HTTP1Channel(
                        responder: responder,
                        configuration: HTTP1Channel.Configuration(httpDecoderConfiguration: Self.headLimits)
                    ),
                    configuration.connections,
                    connections
                )
            },
            configuration: ApplicationConfiguration(address: address, serverName: nil),
            onServerRunning: { channel in
                if let address = channel.localAddress { await onListening(address) }
            },
            eventLoopGroupProvider: .shared(threads.eventLoops),
            logger: logger
        )
    }

    /// The limits of a request's head, and of the trailers of its body.
    private static let headLimits = HTTP1Channel.Configuration.DecoderConfiguration(
        maxHeaderFieldSize: 16 * 1024,
        maxHeaderListSize: 64 * 1024,
        maxHeaderFieldCount: 200
    )

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
