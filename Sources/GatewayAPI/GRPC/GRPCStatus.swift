import NIOHPACK

/// The end of a call that has no answer, as gRPC says it.
struct GRPCStatus: Sendable, Hashable {
    /// The codes of gRPC's document "Status codes and their use in gRPC" that Mortise uses.
    enum Code: Int, Sendable {
        case ok = 0
        case invalidArgument = 3
        case notFound = 5
        case permissionDenied = 7
        case resourceExhausted = 8
        case unimplemented = 12
        case internalError = 13
        case unavailable = 14
        case unauthenticated = 16
    }

    /// The code.
    let code: Code
    /// A sentence for the operator of the client, in ASCII and without `%`.
    let message: String

    /// The answer to a call of a method that does not exist.
    static let unknownMethod = GRPCStatus(
        code: .unimplemented,
        message: "The methods are envoy.service.auth.v3.Authorization/Check and grpc.health.v1.Health/Check."
    )

    /// The answer to a compressed message.
    static let compressed = GRPCStatus(code: .unimplemented, message: "Messages must not be compressed.")

    /// The answer to a request without exactly one whole message.
    static let incomplete = GRPCStatus(
        code: .internalError,
        message: "The request must have one message, and all of it."
    )

    /// The answer about the health of a service that does not exist.
    static let unknownService = GRPCStatus(code: .notFound, message: "The service does not exist.")

    /// The answer to a message that is not encoded as its type.
    static let malformedMessage = GRPCStatus(code: .invalidArgument, message: "The message is malformed.")

    /// The answer about health to a message that is too large.
    static let messageTooLarge = GRPCStatus(code: .resourceExhausted, message: "The message is too large.")

    /// The answer about health on a connection whose calls are too many.
    static let tooManyCalls = GRPCStatus(code: .unavailable, message: "The connection has too many calls.")

    /// The trailers of a call with an answer.
    static let success: HPACKHeaders = ["grpc-status": "0"]

    /// The only headers of a call without an answer.
    var trailersOnly: HPACKHeaders {
        var headers = Self.head
        headers.add(name: "grpc-status", value: "\(code.rawValue)")
        headers.add(name: "grpc-message", value: message)
        if self == Self.compressed { headers.add(name: "grpc-accept-encoding", value: "identity") }
        return headers
    }

    /// The headers of a call with an answer.
    static let head: HPACKHeaders = [":status": "200", "content-type": "application/grpc"]
}
