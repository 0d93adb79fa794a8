import Connections

/// The parts that all gRPC connections of a gateway listener share.
struct GRPCService: Sendable {
    let limits: ConnectionLimits
    let calls: GRPCCalls
}
