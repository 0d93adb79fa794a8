import Connections
import Endpoints
import Hummingbird
import Keys
import NIOCore

extension MortiseServer {
    /// The limit of connections of operators' tools.
    private static let maximumOperators = 64

    /// Returns the service that listens for operators and their tools, or `nil` if it has no address.
    func operationsListener(
        _ readiness: Readiness,
        _ onListening: @escaping @Sendable (SocketAddress) async -> Void
    ) -> HTTPListener? {
        guard let place = configuration.operations else { return nil }
        let operations = OperationsEndpoints(
            readiness: readiness,
            metrics: registry,
            settings: Self.endpointSettings(configuration, registry)
        )
        let router = Router(context: MortiseRequestContext.self)
        let front = FrontMiddleware(mounts: operations.mounts, redact: Redaction.redact)
        router.add(middleware: front)
        operations.register(on: router)
        return HTTPListener(
            place,
            threads: threads,
            limits: configuration.connections,
            connections: OpenConnections(
                limit: Self.maximumOperators,
                label: "mortise_operations_connections_closed_total",
                registry
            ),
            responder: router.buildResponder(),
            front: front,
            logger: logger,
            onListening: onListening
        )
    }
}
