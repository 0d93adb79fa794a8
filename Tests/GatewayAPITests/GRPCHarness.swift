import Connections
import GatewayAPI
import HTTPTestSupport
import NIOCore
import NIOHPACK
import NIOHTTP2
import Server
import ServerTestSupport
import Testing

/// The path of the check.
let checkMethod = "/envoy.service.auth.v3.Authorization/Check"

/// A server with a listener for gRPC on a free port.
func withRPC<T: Sendable>(
    hasProxyHeader: Bool = false,
    configure: (inout ServerConfiguration) -> Void = { _ in },
    _ body: (Gateway, SocketAddress) async throws -> T
) async throws -> T {
    let address = GatewayAddress(.tcp(host: "127.0.0.1", port: 0), hasProxyHeader: hasProxyHeader)
    return try await withGateway(configure: {
        $0.gateway.rpcAddresses = [address]
        configure(&$0)
    }) { gateway in
        try await body(gateway, try #require(gateway.mortise.gatewayAddresses.last))
    }
}

extension HPACKHeaders {
    /// The headers of a call.
    static func call(
        _ path: String = checkMethod,
        method: String = "POST",
        _ fields: (String, String)...
    ) -> HPACKHeaders {
        let head = [
            (":method", method), (":scheme", "http"), (":path", path), (":authority", "mortise"),
            ("content-type", "application/grpc"), ("te", "trailers"),
        ]
        return HPACKHeaders(head + fields)
    }
}

/// Returns a message with its prefix.
func framed(_ message: [UInt8], flag: UInt8 = 0, length: Int? = nil) -> [UInt8] {
    let length = length ?? message.count
    var bytes = [flag]
    for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: length >> shift)) }
    return bytes + message
}

extension FrameConnection {
    /// Begins a check.
    nonisolated(nonsending) mutating func begin(_ message: [UInt8]) async throws -> HTTP2StreamID {
        try await open(.call(), framed(message))
    }

    /// Asks once.
    nonisolated(nonsending) mutating func check(_ message: [UInt8]) async throws -> CheckResponse {
        let id = try await begin(message)
        return try await response(id)
    }

    /// Waits for the response of a check.
    nonisolated(nonsending) mutating func response(_ id: HTTP2StreamID) async throws -> CheckResponse {
        let answer = try #require(try await answer(id))
        #expect(answer.status == 200 && answer["grpc-status"] == "0", "\(answer)")
        let bytes = Array(answer.body.readableBytesView)
        try #require(bytes.count >= 5, "\(answer)")
        #expect(bytes[0] == 0 && Int(bytes[3]) << 8 | Int(bytes[4]) == bytes.count - 5)
        return CheckResponse(Array(bytes.dropFirst(5)))
    }

    /// Makes a call with any bytes, and returns its end.
    nonisolated(nonsending) mutating func end(
        _ bytes: [UInt8],
        _ headers: HPACKHeaders = .call()
    ) async throws -> Answer? {
        let id = try await open(headers, bytes)
        return try await answer(id)
    }
}
