import Locks
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A request as a server saw it.
package struct SeenRequest: Sendable {
    /// The method.
    package let method: String
    /// The path and the query, as they were sent.
    package let uri: String
    /// The body as text.
    package let body: String
    fileprivate let headers: HTTPHeaders

    /// Every value of a header.
    package func header(_ name: String) -> [String] { headers[name] }
}

/// The reaction of a scripted server to a request.
package enum Reply: Sendable {
    /// A status, a body, its type and more headers.
    case answer(Int, String, type: String = "application/json", headers: [(String, String)] = [])
    /// Never answers.
    case silence
    /// Answers with a head and an endless body, a byte at a time.
    case drip
    /// Closes the connection without a word.
    case hangUp
    /// Closes the connection after the head of an answer and a part of its body.
    case cut

    /// Success with JSON.
    package static func json(_ text: String) -> Reply { .answer(200, text) }
}

/// An HTTP server on a real socket that answers by a script and remembers what it was asked.
package final class ScriptedServer: Sendable {
    /// The server's port on the loopback.
    package let port: Int
    private let seen: Recorder

    /// The server's URL.
    package var url: String { "http://127.0.0.1:\(port)" }

    /// The requests so far.
    package var requests: [SeenRequest] { seen.all }

    /// The number of connections so far.
    package var connectionCount: Int { seen.connectionCount }

    /// The next request that arrives, or that has arrived and was not yet taken from here.
    package func nextRequest() async -> SeenRequest? { await seen.next() }

    private init(port: Int, seen: Recorder) {
        self.port = port
        self.seen = seen
    }

    /// Runs the body with a server, which is gone afterwards.
    package static func with<Value>(
        _ script: @escaping @Sendable (SeenRequest) -> Reply,
        _ body: (ScriptedServer) async throws -> Value
    ) async throws -> Value {
        try await run(script, prepare: { _ in }, body)
    }

    /// Runs the body with a server that speaks TLS.
    ///
    /// - Parameters:
    ///   - certificate: The certificate, as PEM.
    ///   - key: Its private key, as PEM.
    ///   - script: Returns the reply to a request.
    ///   - body: Uses the server, which is gone afterwards.
    /// - Returns: The value of the body.
    /// - Throws: The error of the server or of the body.
    package static func withTLS<Value>(
        certificate: String,
        key: String,
        _ script: @escaping @Sendable (SeenRequest) -> Reply,
        _ body: (ScriptedServer) async throws -> Value
    ) async throws -> Value {
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8))
        let configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem))
        )
        let context = try NIOSSLContext(configuration: configuration)
        let prepare: @Sendable (any Channel) throws -> Void = { channel in
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
        }
        return try await run(script, prepare: prepare, body)
    }

    private static func run<Value>(
        _ script: @escaping @Sendable (SeenRequest) -> Reply,
        prepare: @escaping @Sendable (any Channel) throws -> Void,
        _ body: (ScriptedServer) async throws -> Value
    ) async throws -> Value {
        let recorder = Recorder()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                recorder.addConnection()
                return channel.eventLoop.makeCompletedFuture {
                    try prepare(channel)
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(ScriptHandler(script: script, seen: recorder))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = ScriptedServer(port: channel.localAddress?.port ?? 0, seen: recorder)
        do {
            let value = try await body(server)
            try await channel.close()
            return value
        } catch {
            try? await channel.close()
            throw error
        }
    }
}

/// Remembers requests and hands them out to a test that waits.
private final class Recorder: Sendable {
    private let requests = Locked<[SeenRequest]>([])
    private let connections = Locked(0)
    private let stream: AsyncStream<SeenRequest>
    private let continuation: AsyncStream<SeenRequest>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    var all: [SeenRequest] { requests.withLock { $0 } }

    var connectionCount: Int { connections.withLock { $0 } }

    func addConnection() { connections.withLock { $0 += 1 } }

    func add(_ request: SeenRequest) {
        requests.withLock { $0.append(request) }
        continuation.yield(request)
    }

    func next() async -> SeenRequest? {
        for await request in stream { return request }
        return nil
    }
}

private final class ScriptHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let script: @Sendable (SeenRequest) -> Reply
    private let seen: Recorder
    private var head: HTTPRequestHead?
    private var body = ""

    init(script: @escaping @Sendable (SeenRequest) -> Reply, seen: Recorder) {
        self.script = script
        self.seen = seen
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = ""
        case .body(let buffer):
            body += String(buffer: buffer)
        case .end:
            guard let head else { return }
            let request = SeenRequest(
                method: head.method.rawValue,
                uri: head.uri,
                body: body,
                headers: head.headers
            )
            seen.add(request)
            reply(script(request), context)
        }
    }

    private func reply(_ reply: Reply, _ context: ChannelHandlerContext) {
        switch reply {
        case .silence: break
        case .drip:
            let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Content-Length": "100000"])
            context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
            let byte = NIOLoopBound(
                (context, wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: " "))))),
                eventLoop: context.eventLoop
            )
            context.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(20)) { task in
                let (context, byte) = byte.value
                if context.channel.isActive { context.writeAndFlush(byte, promise: nil) } else { task.cancel() }
            }
        case .hangUp: context.close(promise: nil)
        case .cut:
            let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Content-Length": "100"])
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            let part = wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: "part"))))
            let written = context.eventLoop.makePromise(of: Void.self)
            let channel = context.channel
            written.futureResult.whenComplete { _ in channel.close(promise: nil) }
            context.writeAndFlush(part, promise: written)
        case .answer(let status, let text, let type, let more):
            var headers = HTTPHeaders(more)
            headers.add(name: "Content-Type", value: type)
            headers.add(name: "Content-Length", value: "\(text.utf8.count)")
            let head = HTTPResponseHead(
                version: .http1_1,
                status: HTTPResponseStatus(statusCode: status),
                headers: headers
            )
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
