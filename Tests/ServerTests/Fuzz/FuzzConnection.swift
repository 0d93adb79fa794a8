import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOPosix

/// One connection that sends targets and bodies exactly as they are, which a well-behaved client would refuse to.
struct FuzzConnection {
    typealias Wire = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    /// Sends requests one after another, over new connections where the server closes one.
    ///
    /// - Parameters:
    ///   - count: how many.
    ///   - address: the server.
    ///   - next: makes a request.
    ///   - check: gets each request with the status and the body of its answer; 0 and the error where the connection died without one.
    /// - Throws: Why there is no connection; what `check` throws; `CancellationError`.
    static func run(
        _ count: Int,
        to address: SocketAddress,
        next: () -> FuzzRequest,
        check: (FuzzRequest, Int, [UInt8]) throws -> Void
    ) async throws {
        var left = count
        while left > 0 {
            let wire = try await connect(address)
            try await wire.executeThenClose { inbound, outbound in
                var answers = inbound.makeAsyncIterator()
                while left > 0 {
                    left -= 1
                    // A request that is cut off by the end of the test says nothing about the server.
                    try Task.checkCancellation()
                    let request = next()
                    var (status, body, isLast) = (0, [UInt8](), true)
                    do {
                        try await send(request, outbound)
                        reading: while let part = try await answers.next() {
                            switch part {
                            case .head(let head): (status, isLast) = (Int(head.status.code), !head.isKeepAlive)
                            case .body(let bytes): body += bytes.readableBytesView
                            case .end: break reading
                            }
                        }
                    } catch {
                        (status, body, isLast) = (0, Array("\(error)".utf8), true)
                    }
                    try Task.checkCancellation()
                    try check(request, status, body)
                    if isLast { return }
                }
            }
        }
    }

    private static func connect(_ address: SocketAddress) async throws -> Wire {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(to: address) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers(enableOutboundHeaderValidation: false)
                    return try Wire(wrappingChannelSynchronously: channel)
                }
            }
    }

    private static func send(
        _ request: FuzzRequest,
        _ outbound: NIOAsyncChannelOutboundWriter<HTTPClientRequestPart>
    ) async throws {
        var head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: request.method), uri: request.target)
        for (name, value) in request.headers { head.headers.add(name: name, value: value) }
        if let body = request.body { head.headers.add(name: "content-length", value: "\(body.count)") }
        try await outbound.write(.head(head))
        if let body = request.body, !body.isEmpty {
            try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: body))))
        }
        try await outbound.write(.end(nil))
    }
}
