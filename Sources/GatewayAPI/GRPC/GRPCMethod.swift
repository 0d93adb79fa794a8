import NIOHPACK

/// A method of a gRPC service.
enum GRPCMethod: String, Sendable {
    case check = "/envoy.service.auth.v3.Authorization/Check"
    case health = "/grpc.health.v1.Health/Check"

    /// The services whose health can be asked for.
    ///
    /// The empty name is the server.
    static let services: Set<String> = ["", "envoy.service.auth.v3.Authorization", "grpc.health.v1.Health"]

    /// The result of reading the headers of a request.
    enum Reading {
        case method(GRPCMethod)
        /// The answer to a request that calls no method.
        case refused(HPACKHeaders)
    }

    /// Reads the headers of a request (gRPC's document "gRPC over HTTP2").
    static func read(_ headers: HPACKHeaders) -> Reading {
        guard headers.first(name: ":method") == "POST" else { return .refused([":status": "405", "allow": "POST"]) }
        let type = headers.first(name: "content-type") ?? ""
        guard type == "application/grpc" || type.hasPrefix("application/grpc;") || type == "application/grpc+proto"
        else {
            return .refused([":status": "415"])
        }
        guard let method = headers.first(name: ":path").flatMap(GRPCMethod.init(rawValue:)) else {
            return .refused(GRPCStatus.unknownMethod.trailersOnly)
        }
        return .method(method)
    }
}
