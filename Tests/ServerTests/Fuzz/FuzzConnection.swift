import HTTPTestSupport
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOPosix

/// A connection that sends targets and bodies unchanged, including those that an ordinary client refuses to send.
struct FuzzConnection {
    typealias Wire = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    /// Sends requests one after another, and opens a new connection after the server closes one.
    ///
    /// - Parameters:
    ///   - count: The number of requests.
    ///   - address: The address of the server.
    ///   - next: Creates a request.
    ///   - check: Receives each request with the status and body of its answer. If the connection closes without an
    ///     answer, the status is 0 and the body is the error.
    /// - Throws: The error of the connection, an error of `check`, or `CancellationError`.
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
                    // A request that the end of the test interrupts says nothing about the server.
                    try Task.checkCancellation()
                    let request = next()
                    var (status, body, isLast) = (0, [UInt8](), true)
                    do {
                        // A server may refuse a request by its first bytes and close, so that the rest cannot be sent.
                        // The answer is there all the same.
                        var refusal: (any Error)?
                        do { try await send(request, outbound) } catch { refusal = error }
                        reading: while true {
                            guard let part = try await answers.next() else {
                                if status == 0, let refusal { throw refusal }
                                break reading
                            }
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
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers(enableOutboundHeaderValidation: false)
                }
            }
        return try await Wire.connect(bootstrap, to: address)
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
