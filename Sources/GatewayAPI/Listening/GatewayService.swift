import Connections

/// The parts that all connections of a gateway listener share.
struct GatewayService: Sendable {
    let limits: ConnectionLimits
    let connections: OpenConnections
    let routes: GatewayRoutes
    let date = DateField()
}
